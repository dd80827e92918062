"""Does a wheel hold what the source does, and nothing else?

python .ci/wheel_content.py SOURCE WHEEL
"""

import sys
import zipfile
from pathlib import Path

source, wheel = map(Path, sys.argv[1:])
rooms = {path.parent.name for path in source.glob("[a-z]*/__init__.py")}
expected = {
    "lamina/" + path.relative_to(source).as_posix().removeprefix("lamina/")
    for room in rooms
    for path in (source / room).rglob("*.py")
}
data = {f"lamina/configs/{path.name}" for path in (source / "configs").iterdir()}
for kind in ("js", "css", "html"):  # of the pages of `lamina play`
    found = (source / "play").rglob(f"*.{kind}")
    data |= {f"lamina/{path.relative_to(source).as_posix()}" for path in found}
data.add("lamina/py.typed")  # to checkers of types: the annotations are meant
with zipfile.ZipFile(wheel) as file:
    names = set(file.namelist())
about = {name for name in names if name.split("/")[0].endswith(".dist-info")}
wrong = [f"missing: {name}" for name in sorted((expected | data) - names)]
wrong += [f"does not belong there: {name}" for name in sorted(names - about - expected - data)]
if not any(name.endswith("/licenses/LICENSE") for name in about):
    wrong.append("missing: LICENSE")
if wrong:
    sys.exit(f"{wheel.name}:\n  " + "\n  ".join(wrong))
print(f"{wheel.name}: {len(expected)} files of code, {len(data)} beside it, the licence")
