#!/usr/bin/env python3
"""Makes network_cases.json: small networks whose scores, gradients and training steps PyTorch computed (2.15, CPU, double precision).

Needs torch. Parameters are in the order of NetworkLayout; of a table they are what its rows are summed from.
"""
import json
import pathlib

import torch

torch.set_default_dtype(torch.float64)


def table_rows(parameters, cumulative):
    """Rows of a table: sums of the parameters up to each row; the last row, for missing values, stands alone."""
    if not cumulative:
        return parameters
    return torch.cat([torch.cumsum(parameters[:-1], 0), parameters[-1:]])


def scores_of(case, p, rows):
    inputs = []
    for j, table in enumerate(case["tables"]):
        values = table_rows(p[f"table{j}"], table["cumulative"])
        position, fraction = rows["positions"][:, j], rows["fractions"][:, j : j + 1]
        following = torch.clamp(position + 1, max=len(values) - 1)
        inputs.append((1 - fraction) * values[position] + fraction * values[following])
    inputs.append(rows["fixed"])
    x = torch.cat(inputs, 1)
    activation = {"relu": torch.relu, "silu": torch.nn.functional.silu}[case["activation"]]
    members = []
    for m in range(case["members"]):
        h = activation((x * p["scaling"][m]) @ p["weights0"] + p["biases0"][m])
        for l in range(1, len(case["widths"])):
            h = activation(h @ p[f"weights{l}"] + p[f"biases{l}"])
        members.append(h @ p["head_weights"][m] + p["head_biases"][m])
    return torch.stack(members, 1)  # rows × members × outputs


def loss_of(case, scores, rows):
    """The weighted mean over rows and members."""
    count, members, outputs = scores.shape
    if case["classes"]:
        targets = rows["targets"].long().repeat_interleave(members)
        each = torch.nn.functional.cross_entropy(scores.reshape(-1, outputs), targets, reduction="none", label_smoothing=case["label_smoothing"])
    else:
        each = 0.5 * (scores[:, :, 0] - rows["targets"][:, None]).reshape(-1) ** 2
    return (each * rows["weights"].repeat_interleave(members)).sum() / (count * members)


def draw_rows(case, generator, count):
    tables = case["tables"]
    positions = torch.stack([torch.randint(0, t["rows"], (count,), generator=generator) for t in tables], 1) if tables else torch.zeros(count, 0, dtype=torch.long)
    fractions = torch.rand(count, len(tables), generator=generator)
    for j, t in enumerate(tables):  # the last two rows of a table have no next one to go to; levels never
        fractions[:, j] *= (positions[:, j] < t["rows"] - 2) if t["cumulative"] else 0
    return {
        "fixed": torch.randn(count, case["fixed"], generator=generator),
        "positions": positions,
        "fractions": fractions,
        "targets": torch.randint(0, case["outputs"], (count,), generator=generator).double() if case["classes"] else torch.randn(count, generator=generator),
        "weights": torch.rand(count, generator=generator) + 0.5,
    }


def draw_parameters(case, generator):
    inputs = sum(t["width"] for t in case["tables"]) + case["fixed"]
    widths, members, outputs = case["widths"], case["members"], case["outputs"]
    shapes = {f"table{j}": (t["rows"], t["width"]) for j, t in enumerate(case["tables"])}
    for l, (before, width) in enumerate(zip([inputs] + widths, widths)):
        shapes[f"weights{l}"] = (before, width)
    shapes["head_weights"] = (members, widths[-1], outputs)
    shapes["scaling"] = (members, inputs)
    for l, width in enumerate(widths):
        shapes[f"biases{l}"] = (members, width) if l == 0 else (width,)
    shapes["head_biases"] = (members, outputs)
    # Floats, so that the test can hold them exactly.
    return {name: (torch.randn(shape, generator=generator) * 0.5).float().double() for name, shape in shapes.items()}


def flat(values):
    return [float(f"{x:.9g}") for x in torch.cat([v.detach().reshape(-1) for v in values]).tolist()]


def compute(case, seed):
    generator = torch.Generator().manual_seed(seed)
    rows = {name: values.float().double() if values.is_floating_point() else values for name, values in draw_rows(case, generator, 7).items()}
    p = draw_parameters(case, generator)
    if case["members"] == 1:  # a single member has no scaling
        p["scaling"] = torch.ones_like(p["scaling"])
    out = dict(case, rows={name: values.reshape(-1).tolist() for name, values in rows.items()}, parameters=flat(p.values()))
    for name, values in p.items():
        values.requires_grad_(name != "scaling" or case["members"] > 1)
    decayed = [v for name, v in p.items() if name.startswith(("table", "weights", "head_weights"))]
    others = [v for name, v in p.items() if not name.startswith(("table", "weights", "head_weights")) and v.requires_grad]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.05}, {"params": others, "weight_decay": 0.0}], lr=0.01, betas=(0.9, 0.999), eps=1e-8)
    out["scores"] = flat([scores_of(case, p, rows)])
    for step in range(3):
        optimizer.zero_grad()
        loss = loss_of(case, scores_of(case, p, rows), rows)
        loss.backward()
        if step == 0:
            out["loss"] = loss.item()
            out["gradient"] = flat([v.grad if v.grad is not None else torch.zeros_like(v) for v in p.values()])
        optimizer.step()
        if step in (0, 2):
            out["after_one_step" if step == 0 else "after_three_steps"] = flat(p.values())
    return out


def main():
    tables = [{"rows": 5, "width": 3, "cumulative": True}, {"rows": 4, "width": 2, "cumulative": False}]
    base = {"tables": [], "fixed": 4, "members": 1, "widths": [6], "outputs": 1, "classes": False, "activation": "relu", "label_smoothing": 0.0}
    cases = [
        dict(base, name="one_layer_regression"),
        dict(base, name="two_layers_classes", widths=[5, 7], outputs=3, classes=True, activation="silu"),
        dict(base, name="members_and_tables_regression", tables=tables, members=3, widths=[6, 4, 5], activation="silu"),
        dict(base, name="members_and_tables_classes", tables=tables, fixed=2, members=4, widths=[18, 17], outputs=20, classes=True, label_smoothing=0.1),
    ]
    path = pathlib.Path(__file__).with_suffix(".json")
    path.write_text("[\n" + ",\n".join(json.dumps(compute(case, seed)) for seed, case in enumerate(cases, 1)) + "\n]\n")


if __name__ == "__main__":
    main()
