"""Caffe's solver files as the sections `optimizer` and `training` of a configuration.

Source: Caffe, src/caffe/solvers, and SolverParameter in caffe.proto.
"""

import re
from pathlib import Path

from lamina.exchange.caffe_message import CaffeError, Message

_OF_SOLVERS = re.compile(
    r"^\s*(base_lr|lr_policy|max_iter|net|solver_mode|test_iter|train_net)\s*:", re.MULTILINE
)
_OLD_TYPES = {
    "SGD": "SGD",
    "NESTEROV": "Nesterov",
    "ADAGRAD": "AdaGrad",
    "RMSPROP": "RMSProp",
    "ADADELTA": "AdaDelta",
    "ADAM": "Adam",
}
# {lr_policy: {setting of the schedule: field of the solver}}
_POLICIES = {
    "fixed": {},
    "step": {"gamma": "gamma", "step_size": "stepsize"},
    "exp": {"gamma": "gamma"},
    "inv": {"gamma": "gamma", "power": "power"},
    "multistep": {"gamma": "gamma", "steps": "stepvalue"},
    "poly": {"power": "power", "max_steps": "max_iter"},
    "sigmoid": {"gamma": "gamma", "step_size": "stepsize"},
}


def is_solver(path) -> bool:
    """Is this text file a solver, and not a net? They end in .prototxt both."""
    return _OF_SOLVERS.search(Path(path).read_bytes().decode("utf-8", "replace")) is not None


def optimizer_of(solver: Message) -> dict:
    """The section `optimizer`. Raises CaffeError for what has no counterpart."""
    found = _rule(solver)
    if solver["weight_decay"]:
        found["weight_decay"] = solver["weight_decay"]
        kind = solver["regularization_type"]
        if kind not in ("L1", "L2"):
            raise CaffeError(f"regularization_type: expects L1 or L2, got {kind}")
        if kind == "L1":
            found["decay"] = "l1"
    if solver["clip_gradients"] >= 0:
        # Caffe clips the sum of iter_size gradients, and we clip their mean.
        found["clip_norm"] = solver["clip_gradients"] / max(solver["iter_size"], 1)
    schedule = _schedule(solver)
    return found | ({"schedule": schedule} if schedule["type"] != "fixed" else {})


def _rule(solver: Message) -> dict:
    if "type" in solver and "solver_type" in solver:
        raise CaffeError("has both type and solver_type; take the older, solver_type, out")
    kind = _OLD_TYPES[solver["solver_type"]] if "solver_type" in solver else solver["type"]
    rate, momentum = {"lr": _needed(solver, "base_lr")}, solver["momentum"]
    if kind == "SGD":
        return (
            {"type": "Momentum", **rate, "momentum": momentum}
            if momentum
            else ({"type": "SGD", **rate})
        )
    if kind == "Nesterov":
        return {"type": kind, **rate, "momentum": momentum}
    if kind == "Adam":
        betas = {"beta1": momentum, "beta2": solver["momentum2"]}
        return {"type": kind, **rate, **betas, "eps": solver["delta"]}
    if kind in ("AdaGrad", "RMSProp") and momentum:
        raise CaffeError(f"{kind} has no momentum, here as in Caffe; take it out")
    if kind == "AdaGrad":
        return {"type": kind, **rate, "eps": solver["delta"]}
    if kind == "RMSProp":
        return {"type": kind, **rate, "rho": solver["rms_decay"], "eps": solver["delta"]}
    if kind == "AdaDelta":
        return {"type": kind, **rate, "rho": momentum, "eps": solver["delta"]}
    raise CaffeError(f"type: expects {', '.join(_OLD_TYPES.values())}, got {kind}")


def _schedule(solver: Message) -> dict:
    policy = _needed(solver, "lr_policy")
    if policy not in _POLICIES:
        raise CaffeError(f"lr_policy: expects {', '.join(_POLICIES)}, got {policy}")
    given = {name: _needed(solver, field) for name, field in _POLICIES[policy].items()}
    return {"type": policy, **given}


def training_of(solver: Message) -> dict:
    """The section `training`, without the batch size, which stands in the net."""
    found = {"iterations": _needed(solver, "max_iter")}
    if solver["test_interval"] > 0:
        found["evaluate_every"] = solver["test_interval"]
    if solver["iter_size"] != 1:
        found["accumulate"] = solver["iter_size"]
    if solver["random_seed"] >= 0:
        found["seed"] = solver["random_seed"]
    return found


def net_of(solver: Message):
    """What the solver trains: a net in it, or the path of one as it is written there."""
    for field in ("net_param", "train_net_param", "net", "train_net"):
        if field in solver:
            return solver[field]
    raise CaffeError("names no net; give its .prototxt beside the solver")


def stages_of(solver: Message) -> list[str]:
    """The stages of the net that it trains."""
    return solver["train_state"]["stage"]


def _needed(solver: Message, field: str):
    if field not in solver:
        raise CaffeError(f"has no {field}")
    return solver[field]
