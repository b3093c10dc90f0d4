//! Targets that turn out to be several processes, as a load balancer is: what
//! their counters grow by is nobody's, so it is told once and read no more.

use super::Watch;
use crate::check::Shown;
use crate::metrics::Turns;
use crate::model::{Exchange, Timestamp};
use crate::record::SAW_TOOTH;

const DETAIL: &str = "several processes answer here in turn, as behind a load balancer: its \
    counters go down and up again, and what they grow by is not judged; list each replica by \
    its own address in `targets.static`, or have them found by [[targets.discover]]";

impl Watch {
    /// For how long an answer says that its process has been up.
    pub(super) fn take_uptime(
        &mut self,
        now: Timestamp,
        target: usize,
        exchange: &Exchange,
        shown: &Shown,
    ) {
        let [_, uptime] = &shown.pulses;
        let Some(seconds) = uptime.as_ref().and_then(|text| text.parse().ok()) else { return };
        self.look.targets[target].sawtooth.uptime(seconds, exchange.elapsed, now);
        self.tell_apart(now, target);
    }

    /// Holds back what a target's counters say, as long as they are several
    /// processes', or may be.
    pub(super) fn tell_apart(&mut self, now: Timestamp, target: usize) {
        let aim = &mut self.look.targets[target];
        let turns = aim.sawtooth.turns();
        aim.feed.withhold(&mut self.measure.series, turns > Turns::One);
        if turns == Turns::Several {
            let name = self.target_name(target);
            self.limit(now, Some(name), SAW_TOOTH, DETAIL);
        }
    }
}
