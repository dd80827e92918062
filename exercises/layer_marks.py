"""The mark of a layer, a loss or a gate: forward beside the project's own, backward beside the
derivative of the solution's own forward, and the rules that every layer keeps."""

import dataclasses
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from lamina.exercises.causes import gradient_causes
from lamina.exercises.forward import compare_forward
from lamina.exercises.marking import Mark, Part, manners
from lamina.layers.base import Layer
from lamina.layers.check import behaviour, form, stepping
from lamina.layers.check.case import Case, as64, in_float64
from lamina.layers.check.check import RULES
from lamina.layers.check.diagnosis import VAGUE, explain_error
from lamina.layers.check.gradients import check_gradients, check_second_order
from lamina.layers.check.reach import check_elsewhere, holds
from lamina.layers.check.report import FAILED, Finding, Report


def a_batch_of_one(case: Case, report: Report, rng) -> None:
    """The last batch of an epoch may have one sample."""
    behaviour.takes_a_batch_of_one(case, report, rng, holds)


_OF_FORWARD = "that forward is wrong too: mend it first, backward is judged by it"
_IN_EVALUATION = "right in training: in evaluation forward is another function, and so is backward"
ALL_RULES = (behaviour.leaves_arguments_alone, *RULES, a_batch_of_one, check_second_order)


def mark_layer(own: Any, right: Any, seed: int = 0) -> Mark:
    """The mark of the class `own` as a solution of the project's `right`, on the examples of the
    project. Nothing that the solution raises is let through."""
    name = right.__name__
    if trouble := _trouble(own, right):
        return Mark(name, [], trouble)
    try:
        mine = list(right.examples.__func__(own, np.random.default_rng(seed)))
    except Exception as error:
        where = f"{type(error).__name__}: {error}"
        return Mark(name, [], f"cannot be made as the project's own is: {where}")
    theirs = list(right.examples(np.random.default_rng(seed)))
    pairs = enumerate(zip(mine, theirs, strict=True), 1)
    examples = [_Example(number, *pair, seed) for number, pair in pairs]
    parts = [_forward(examples), _backward(examples)]
    return Mark(name, [*parts, _contract(examples, _rules(own, right))])


def _trouble(own: Any, right: Any) -> str:
    name = right.__name__
    if not (isinstance(own, type) and issubclass(own, Layer)):
        return f"is no layer: write class {name}({right.__base__.__name__})"
    if issubclass(own, right):
        return f"inherits from the project's own {name}, which is the solution"
    return ""


class _Example:
    """One example: the solution's layer and the project's own, alike, in both modes."""

    def __init__(self, number: int, own: tuple, right: tuple, seed: int):
        self.layer, *inputs = own
        reference, *_ = right
        self.inputs = [as64(x) for x in inputs]
        shapes = ", ".join(str(x.shape) for x in self.inputs)
        made = re.sub(r"(, )?dtype='float64'", "", repr(reference))
        self.where = f"example {number}, {made} on {shapes}"
        # As check_layer: inputs drawn from default_rng(seed) would equal dout.
        self.rng = np.random.default_rng([seed, *b"dout"])
        mine = in_float64(self.layer, np.random.default_rng([seed, *b"moved"]))
        theirs = in_float64(reference, np.random.default_rng([seed, *b"moved"]))
        self.same_parameters = _shapes(mine) == _shapes(theirs)
        self.modes = [
            (Case(mine, self.inputs, training, where), Case(theirs, self.inputs, training, where))
            for training in (True, False)
            for where in [f"{self.where}, {'training' if training else 'evaluation'}"]
        ]
        self.report = Report(type(reference).__name__)
        self.forward_wrong: set[str] = set()  # where
        self.told: set[str] = set()  # arrays that are known to be wrong, and why: once is enough

    def gradients(self) -> tuple[int, int]:
        """(gradients that are right, gradients) in both modes, here and elsewhere."""
        cases, labels = [], set()
        for own, right in self.modes:
            labels |= {right.label(n) for n in right.variables}
            with np.errstate(all="ignore"):
                before = len(self.report.findings)
                try:
                    decided = check_gradients(own, self.report, self.rng)
                except Exception as error:
                    self.report.add(FAILED, *explain_error(own, error))
                    decided = None
                if decided is not None:
                    found = self.report.findings[before:]
                    seen = {f.array for f in self.report.findings[:before] if f.kind == FAILED}
                    self.report.findings[before:] = self._explained(found, decided, right, seen)
                cases.append(decided)
        whole = [case for case in cases if case]
        if len(whole) == len(cases) and not self.report.failures:
            with np.errstate(all="ignore"):
                check_elsewhere(whole, self.report, self.rng)
        wrong = {f.array for f in self.report.failures}
        return len(labels - wrong) if all(cases) else 0, len(labels)

    def _explained(self, found: list[Finding], own: Case, right: Case, before: set[str]) -> list:
        """With a cause where none was seen: one change of the project's own that does the same.
        `before` are the arrays that were wrong in training already."""
        _, douts, gradients = own.sample(self.rng)
        names = {right.label(name): name for name in right.variables}
        vague = {
            i: names[finding.array]
            for i, finding in enumerate(found)
            if finding.array in names and _likely(finding)[1].startswith(VAGUE)
        }
        causes: dict[str, str] = {}
        if any(where.startswith(right.where) for where in self.forward_wrong):
            causes = dict.fromkeys(vague.values(), _OF_FORWARD)
        elif vague:
            there = right.elsewhere(own.variables)
            causes = gradient_causes(there, {n: gradients[n] for n in vague.values()}, douts)
        for i, name in vague.items():
            message, likely = _likely(found[i])
            if not right.training and found[i].array not in before:
                likely = _IN_EVALUATION
            message = f"{message}\nlikely: {causes.get(name, likely)}"
            found[i] = dataclasses.replace(found[i], message=message)
        return found

    def said_otherwise(self) -> list[Finding]:
        """Shapes and arguments that follow from the shape of a sample, where the project's own has
        an answer."""
        own, right = (one.layer for one in self.modes[1])
        shapes = [x.shape[1:] for x in self.inputs]
        findings = []
        for name in ("infer", "output_shape"):
            try:
                wanted = getattr(right, name)(*shapes)
            except Exception:  # it has none for such inputs
                continue
            try:
                said = getattr(own, name)(*shapes)
            except Exception as error:
                said = f"{type(error).__name__}: {error}"
            if said != wanted:
                message = f"says {said} for {shapes}, should say {wanted}"
                findings.append(Finding(FAILED, name, self.where, message))
        return findings


def _likely(finding: Finding) -> tuple[str, str]:
    """(what is wrong, the cause)."""
    message, _, likely = finding.message.partition("\nlikely: ")
    return message, likely


def _forward(examples: list[_Example]) -> Part:
    correct = total = 0
    findings: list[Finding] = []
    for example in examples:
        for own, right in example.modes:
            if not example.same_parameters:
                message = f"has parameters {_shapes(own.layer)}, should have {_shapes(right.layer)}"
                found = (0, 1, [Finding(FAILED, "parameters", own.where, message)])
            else:
                found = compare_forward(own, right, example.rng)
            correct, total, findings = correct + found[0], total + found[1], findings + found[2]
            example.told |= _told(found[2])
            example.forward_wrong |= {f.where for f in found[2]}
    return Part("forward", 40, 40 * correct / total, f"{correct} of {total} cases", findings)


def _backward(examples: list[_Example]) -> Part:
    counts = [example.gradients() for example in examples]
    proved = set().union(*(e.report.proved for e in examples))
    right, total = sum(r for r, _ in counts), sum(n for _, n in counts)
    findings = [f for e in examples for f in _in_words(e)]
    for example in examples:
        example.told |= _told(example.report.failures)
    seen = set().union(*(e.report.seen for e in examples)) | {f.array for f in findings}
    for label in sorted(seen - proved - {f.array for f in findings}):
        lost = sum(label in e.report.seen for e in examples)
        right -= lost
        message = "is proved in no example: it is zero everywhere, or not right to the last digits"
        findings.append(Finding(FAILED, label, "all examples", message))
    right = max(right, 0)
    return Part("backward", 40, 40 * right / total, f"{right} of {total} gradients", findings)


def _in_words(example: _Example) -> Iterator[Finding]:
    """The findings on gradients, those left aside that were told of forward."""
    for finding in example.report.failures:
        if finding.array == "forward" and example.told & {"Y", "forward"}:
            continue
        if "NotImplementedError" in finding.message:
            message = f"is still a gap: nothing is written in {finding.array}"
            finding = dataclasses.replace(finding, message=message)
        yield finding


def _contract(examples: list[_Example], rules: Sequence[Callable]) -> Part:
    """The rules of layers. What is told already, or comes of that, is not told again."""
    broken: dict[str, list[Finding]] = {}
    running = 0
    for example in examples:
        cases = [own for own, _ in example.modes]
        if not all(map(_runs, cases)):
            continue
        running += 1
        tried = [(form.trains_what_it_holds, _as_made(example))]
        tried += [(rule, case) for case in cases for rule in rules]
        if "Y" in example.told:  # what comes step by step can be no better
            tried = [one for one in tried if one[0] is not stepping.steps_are_the_whole]
        for rule, case in tried:
            found = _broken(rule, case, example.rng, bool(example.told))
            if found := [f for f in found if not _told([f]) & example.told]:
                broken.setdefault(_words(rule), []).extend(found)
    if found := [f for example in examples for f in example.said_otherwise()]:
        broken["infer and output_shape say what the project's own say"] = found
    part = manners("contract", 20, broken)
    if running < len(examples):
        part.points *= running / len(examples)
        part.counted += f"; {running} of {len(examples)} examples run"
    return part


def _rules(own: Any, right: Any) -> list[Callable]:
    """All of them; but the form of an exercise leaves out `step`, and nobody is asked for it."""
    left_out = "step" in vars(right) and "step" not in vars(own)
    return [rule for rule in ALL_RULES if not (left_out and rule is stepping.steps_are_the_whole)]


def _told(findings: list[Finding]) -> set[str]:
    """What is told by them: arrays, Y of one output and Y0 of several alike, and what was said."""
    arrays = {"Y" if re.fullmatch(r"Y\d*", f.array) else f.array for f in findings}
    return arrays | {f.message for f in findings}


def _as_made(example: _Example) -> Case:
    return Case(example.layer, example.inputs, True, example.where)


def _runs(case: Case) -> bool:
    with np.errstate(all="ignore"):
        try:
            case.sample(np.random.default_rng(0))
        except Exception:
            return False
        return True


def _broken(rule, case: Case, rng, told: bool) -> list[Finding]:
    """What breaks one rule. Where a rule cannot be tried at all, because of what is `told` already
    or without a line of the solution in it, there is nothing to be said."""
    report = Report("")
    with np.errstate(all="ignore"):
        try:
            rule(case, report, rng)
        except Exception as error:
            array, where, message = explain_error(case, error)
            if array == "contract":
                message = f"cannot be tried: it {message}"
            if array != "contract" or not told:
                report.add(FAILED, array, where, message)
    return report.failures


def _words(rule) -> str:
    return rule.__name__.removeprefix("check_").replace("_", " ")


def _shapes(layer: Layer) -> dict:
    return {name: param.data.shape for name, param in layer.parameters().items()}
