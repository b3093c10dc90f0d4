//! Answers, as Prometheus writes them: numbers as texts, times as seconds.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Serialize, Serializer};

use crate::metrics::Point;
use crate::metrics::promql::{Annotation, Answer, Matrix};
use crate::model::{Labels, Timestamp};

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Problem {
    /// The question is wrong.
    BadData(String),
    /// The question is too long.
    TooLarge(String),
    /// It cannot be answered from what is kept.
    Execution(String),
    /// It takes too long.
    Timeout(String),
    /// The watch does not answer.
    Unavailable(String),
    /// Our own mistake.
    Internal(String),
}

/// An answer on its way: JSON.
pub(super) struct Json(String);

/// What handlers give.
pub(super) type Told = Result<Json, Problem>;

#[derive(Serialize)]
struct Success<D> {
    status: &'static str,
    data: D,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    infos: Vec<String>,
}

/// What stands beside a result.
#[derive(Default)]
pub(super) struct Beside {
    pub warnings: Vec<String>,
    pub infos: Vec<String>,
}

impl Beside {
    /// What the evaluation said.
    pub fn add(&mut self, said: &[Annotation]) {
        for one in said {
            let list = if one.is_warning() { &mut self.warnings } else { &mut self.infos };
            list.push(one.to_string());
        }
    }
}

/// An answer.
pub(super) fn success(data: impl Serialize, beside: Beside) -> Told {
    let Beside { warnings, infos } = beside;
    serde_json::to_string(&Success { status: "success", data, warnings, infos })
        .map(Json)
        .map_err(|error| Problem::Internal(error.to_string()))
}

impl IntoResponse for Json {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "application/json")], self.0).into_response()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, kind, what) = match self {
            Problem::BadData(what) => (StatusCode::BAD_REQUEST, "bad_data", what),
            Problem::TooLarge(what) => (StatusCode::PAYLOAD_TOO_LARGE, "bad_data", what),
            Problem::Execution(what) => (StatusCode::UNPROCESSABLE_ENTITY, "execution", what),
            Problem::Timeout(what) => (StatusCode::SERVICE_UNAVAILABLE, "timeout", what),
            Problem::Unavailable(what) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", what),
            Problem::Internal(what) => (StatusCode::INTERNAL_SERVER_ERROR, "internal", what),
        };
        let body = serde_json::json!({ "status": "error", "errorType": kind, "error": what });
        (status, Json(body.to_string())).into_response()
    }
}

/// What is asked in another place.
pub(super) async fn unknown() -> Response {
    let body = "there is nothing here; a watch answers below /api/v1/, at /-/healthy and \
                /-/ready\n";
    (StatusCode::NOT_FOUND, body).into_response()
}

/// The result of a query.
#[derive(Serialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
pub(super) enum Outcome {
    Scalar((Stamp, Value)),
    String((Stamp, String)),
    Vector(Vec<Element>),
    Matrix(Vec<Row>),
}

#[derive(Serialize)]
pub(super) struct Element {
    metric: Labels,
    value: (Stamp, Value),
}

#[derive(Serialize)]
pub(super) struct Row {
    metric: Labels,
    values: Vec<(Stamp, Value)>,
}

impl Outcome {
    /// Of a query at an instant.
    pub fn at(answer: Answer, at: Timestamp) -> Outcome {
        match answer {
            Answer::Scalar(value) => Outcome::Scalar((Stamp(at), Value(value))),
            Answer::Text(text) => Outcome::String((Stamp(at), text)),
            Answer::Vector(all) => {
                let element =
                    |(metric, value)| Element { metric, value: (Stamp(at), Value(value)) };
                Outcome::Vector(all.into_iter().map(element).collect())
            }
            Answer::Matrix(matrix) => Outcome::over(matrix),
        }
    }

    /// Of one over a range.
    pub fn over(matrix: Matrix) -> Outcome {
        let value = |point: Point| (Stamp(point.at), Value(point.value));
        let row = |(metric, points): (Labels, Vec<Point>)| Row {
            metric,
            values: points.into_iter().map(value).collect(),
        };
        Outcome::Matrix(matrix.into_iter().map(row).collect())
    }
}

/// Seconds, with as many thousandths as there are.
pub(super) struct Stamp(pub Timestamp);

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.millis() % 1000 {
            0 => serializer.serialize_i64(self.0.millis() / 1000),
            _ => serializer.serialize_f64(self.0.seconds_f64()),
        }
    }
}

/// A number as a text: JSON knows no infinity.
pub(super) struct Value(pub f64);

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            value if value.is_nan() => serializer.serialize_str("NaN"),
            f64::INFINITY => serializer.serialize_str("+Inf"),
            f64::NEG_INFINITY => serializer.serialize_str("-Inf"),
            value => serializer.collect_str(&value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_times_as_seconds_and_numbers_as_texts() {
        let at = Timestamp::from_millis;
        let pairs = [
            (Stamp(at(1_500)), Value(0.25)),
            (Stamp(at(2_000)), Value(f64::INFINITY)),
            (Stamp(at(-500)), Value(f64::NAN)),
            (Stamp(at(0)), Value(1e21)),
        ];
        let text = serde_json::to_string(&pairs).expect("JSON");
        let expected = r#"[[1.5,"0.25"],[2,"+Inf"],[-0.5,"NaN"],[0,"1000000000000000000000"]]"#;
        assert_eq!(text, expected);
    }
}
