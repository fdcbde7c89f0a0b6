"""The servers that benchmarks/serving compares with: LightGBM behind FastAPI (`app`), and as a model for MLflow's scoring server.

serving_peers.py fit TABLE.csv FOLDER writes FOLDER/model (the booster and its columns) and FOLDER/mlflow. Run by benchmarks/.venv."""

import json
import os
import sys

import lightgbm
import numpy
import pandas

TARGET = "late"
PARAMETERS = {"objective": "binary", "num_leaves": 31, "learning_rate": 0.1, "num_threads": 2, "verbose": -1}
TREES = 100


def encode(frame, columns):
    """Numbers as they are, categories as the numbers that they had when the model was fitted; -1: a new one, which LightGBM takes as missing."""
    return pandas.DataFrame({name: frame[name].map(codes).fillna(-1) if codes else frame[name].astype(float) for name, codes in columns.items()})


def fit(table, folder):
    import mlflow.pyfunc

    model = os.path.join(folder, "model")
    os.mkdir(model)
    frame = pandas.read_csv(table)
    target = (frame.pop(TARGET) == "yes").astype(int)
    texts = [name for name in frame if not pandas.api.types.is_numeric_dtype(frame[name])]
    columns = {name: {value: code for code, value in enumerate(sorted(frame[name].dropna().unique()))} if name in texts else None for name in frame}
    data = lightgbm.Dataset(encode(frame, columns), target, categorical_feature=texts)
    lightgbm.train(PARAMETERS, data, TREES).save_model(os.path.join(model, "model.txt"))
    with open(os.path.join(model, "columns.json"), "w") as file:
        json.dump(columns, file)
    mlflow.pyfunc.save_model(os.path.join(folder, "mlflow"), python_model=os.path.abspath(__file__), pip_requirements=[],
                             artifacts={"model": model})  # fmt: skip


class Model:
    def __init__(self, folder):
        self.booster = lightgbm.Booster(model_file=os.path.join(folder, "model.txt"))
        with open(os.path.join(folder, "columns.json")) as file:
            self.columns = json.load(file)

    def predict_rows(self, rows):
        """Without pandas, which would cost most of the time."""
        values = [[(codes.get(row[name], -1) if codes else row[name]) for name, codes in self.columns.items()] for row in rows]
        return self.booster.predict(numpy.array(values, dtype=float), num_threads=1)

    def predict_frame(self, frame):
        return self.booster.predict(encode(frame, self.columns), num_threads=1)


def make_app(folder):
    import fastapi

    app, model = fastapi.FastAPI(), Model(folder)

    @app.post("/predictions")
    async def predictions(request: fastapi.Request):
        rows = (await request.json())["rows"]
        return {"predictions": [{"prediction": "yes" if p > 0.5 else "no", "probabilities": {"no": 1 - p, "yes": p}} for p in model.predict_rows(rows).tolist()]}

    @app.get("/ping")
    async def ping():
        return {}

    return app


def register_with_mlflow():
    import mlflow.pyfunc

    class Served(mlflow.pyfunc.PythonModel):
        def load_context(self, context):
            self.model = Model(context.artifacts["model"])

        def predict(self, context, model_input, params=None):
            return self.model.predict_frame(model_input)

    mlflow.models.set_model(Served())


if __name__ == "__main__":
    fit(*sys.argv[2:])
elif "SERVING_MODEL" in os.environ:
    app = make_app(os.environ["SERVING_MODEL"])
else:
    register_with_mlflow()
