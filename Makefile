# Two commands for a fresh machine: `make demo` and `make test`. Each sets up .venv by itself.
# On Windows and on machines without make the README shows the same with plain pip.
.PHONY: same-figures help demo test mutants test-bluez test-lowest test-newest hardware check format clean

DEMO_ARGS ?=
TEST_ARGS ?=
MUTANT_ARGS ?=

help:
	@echo "make demo    watch the whole system work on a simulated wearer (DEMO_ARGS='--minutes 30 --seed 7')"
	@echo "make test    run the tests (TEST_ARGS='-k posture')"
	@echo "make mutants  change the core a little and say which changes no test notices (MUTANT_ARGS='decode --seed 2')"
	@echo "make test-bluez  the radio on a real BlueZ in a Linux guest (slow; installs qemu and more when root)"
	@echo "make hardware  pictures, printable files and checks of the hardware (installs 1 GB of CAD into hardware/.venv)"
	@echo "make test-lowest  the lowest version of each dependency that pyproject.toml allows (minutes, needs the network)"
	@echo "make test-newest  the highest version of each dependency, in the newest Python that is here (minutes, needs the network)"
	@echo "make check   format, lint, types, layers"
	@echo "make format  let ruff put the format right"
	@echo "make clean   remove .venv and caches"

demo:
	@.ci/setup
	@.venv/bin/tiltwise demo $(DEMO_ARGS)

test:
	@.ci/setup dev,parquet,bench
	@.venv/bin/python -m pytest -n auto $(TEST_ARGS)

mutants:
	@.ci/setup dev,parquet,bench
	@nice .venv/bin/python -m tiltwise_lab.mutation $(MUTANT_ARGS)

test-bluez:
	@.ci/setup dev,parquet,bench
	@tests/bluez/setup.sh
	@.venv/bin/python -m pytest -m bluez -s tests/bluez $(TEST_ARGS)

hardware:
	@.ci/hardware

test-lowest:
	@.ci/lowest $(PYTHON)

test-newest:
	@.ci/newest $(PYTHON)

check:
	@.ci/setup dev,parquet,bench
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/codespell README.md CHANGELOG.md CONTRIBUTING.md docs examples hardware firmware host tests
	.venv/bin/python -m pytest -q tests/contracts/test_layers.py

format:
	@.ci/setup dev,parquet,bench
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

clean:
	rm -rf .venv hardware/.venv hardware/build .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist

same-figures:  # prints how many figures differ between the ways to a day, and how soon the motor runs
	.venv/bin/pytest -s tests/app/test_same_figures.py tests/live/test_alert_to_motor.py -k "calibrates or half_a_second"
