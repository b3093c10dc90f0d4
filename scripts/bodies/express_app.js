// An Express service measured by express-prom-bundle.
const express = require("express");
const bundle = require("express-prom-bundle");

const app = express();
app.use(bundle({ includeMethod: true, includePath: true, promClient: { collectDefaultMetrics: {} } }));
app.get("/health", (_, answer) => answer.json({ status: "healthy" }));
app.get("/items/:id", (request, answer) => answer.json({ id: request.params.id }));
app.get("/slow", (_, answer) => setTimeout(() => answer.json({}), 1200));
app.get("/broken", (_, answer) => answer.status(500).json({}));
app.listen(Number(process.env.PORT), "127.0.0.1");
