#!/usr/bin/env python3
"""The service before other people's clients: schemathesis against its OpenAPI description, Triton's client against /v2.

Skipped (status 77) where these packages are missing; benchmarks/setup installs them into benchmarks/.venv, with whose Python this is run.
"""
import json, os, pathlib, signal, socket, subprocess, sys, tempfile, time, urllib.error, urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = os.environ.get("EVERLEARN") or str(ROOT / "build/release/everlearn")


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError:
        return 0, b""


def start(folder, port):
    with open(folder / "past.csv", "w") as file:
        file.write("ref,a,b,colour,y\n")
        for i in range(600):
            file.write(f"{i},{i * 7 % 13},{i * 31 % 17 / 4},{'pqr'[i % 3]},{'yes' if i * 7 % 13 > 6 else 'no'}\n")
    service = subprocess.Popen(
        [PROGRAM, "run", "--task", "t", "--data", "past.csv", "--target", "y", "--key", "ref", "--budget", "50units", "--listen",
         f"127.0.0.1:{port}", "--ledger", "t.db", "--durability", "process"], cwd=folder, stderr=open(folder / "log", "w"))
    for _ in range(600):
        if get(f"http://127.0.0.1:{port}/health/ready")[0] == 200:
            return service
        if service.poll() is not None:
            break
        time.sleep(0.1)
    sys.exit("the service did not start: " + (folder / "log").read_text()[-500:])


def check_description(url):
    from openapi_spec_validator import validate

    validate(json.loads(get(url + "/openapi.json")[1]))
    # Not checked: that all that fits the schemas is accepted, since a schema cannot say that inputs have as many values as their shapes.
    command = [sys.executable, "-m", "schemathesis.cli", "run", url + "/openapi.json", "--max-examples", "60", "--seed", "1", "--phases", "fuzzing",
               "--exclude-checks", "unsupported_method,positive_data_acceptance"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stdout[-26000:] + done.stderr[-2000:]


def check_triton(url):
    import numpy
    import tritonclient.http as triton

    client = triton.InferenceServerClient(url.removeprefix("http://"))
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("t")
    metadata = client.get_model_metadata("t")
    assert {"a", "b", "colour", "ref"} == {column["name"] for column in metadata["inputs"]}, metadata
    for binary in (True, False):
        values = {"a": ("FP64", numpy.array([1.0, 12.0])), "b": ("FP32", numpy.array([0.5, 2], dtype=numpy.float32)),
                  "colour": ("BYTES", numpy.array([b"p", b"q"], dtype=numpy.object_)), "ref": ("INT64", numpy.array([9001, 9002]))}
        inputs = []
        for name, (kind, array) in values.items():
            tensor = triton.InferInput(name, array.shape, kind)
            tensor.set_data_from_numpy(array, binary_data=binary)
            inputs.append(tensor)
        outputs = [triton.InferRequestedOutput(name, binary_data=binary) for name in ("prediction", "probabilities", "id")]
        result = client.infer("t", inputs, outputs=outputs)
        labels = [x.decode() if isinstance(x, bytes) else x for x in result.as_numpy("prediction")]
        assert labels == ["no", "yes"], labels
        assert len({bytes(str(x), 'utf-8') for x in result.as_numpy("id")}) == 2
        assert abs(result.as_numpy("probabilities").sum() - 2) < 1e-9
    try:
        client.infer("t", inputs[:1])
        raise AssertionError("a request without all columns was accepted")
    except triton.InferenceServerException as error:
        assert "has no column" in str(error), error


def main():
    try:
        import openapi_spec_validator, schemathesis, tritonclient.http  # noqa: F401
    except ImportError as missing:
        print(f"skipped: {missing}; run benchmarks/setup")
        sys.exit(77)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        service = start(pathlib.Path(folder), port)
        try:
            check_triton(url)
            check_description(url)
            assert service.poll() is None, "the service ended"
            assert b'"level":"error"' not in (pathlib.Path(folder) / "log").read_bytes()
        finally:
            service.send_signal(signal.SIGTERM)
            service.wait(30)


main()
