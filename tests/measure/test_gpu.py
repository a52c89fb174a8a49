"""What is asked of a GPU before it may decide, and while it does."""

import pytest

from autograder.errors import MachineError
from autograder.measure import gpu
from autograder.measure.fitness import Fitness

GPU = "GPU-1"


class Error(Exception):
    """NVMLError."""


class Library:
    """`pynvml` with one GPU; what a test does not say is as on a healthy machine."""

    NVMLError = Error
    NVML_CLOCK_SM = 1
    NVML_MEMORY_ERROR_TYPE_UNCORRECTED = 1
    NVML_VOLATILE_ECC = 0

    def __init__(self, **state):
        self.state = {
            "CurrentClocksThrottleReasons": 0, "PowerManagementLimit": 700_000, "PowerManagementDefaultLimit": 700_000,
            "PersistenceMode": 1, "MigMode": (0, 0), "EccMode": (1, 1), "TotalEccErrors": 0, "ClockInfo": 1755,
            "MaxClockInfo": 1980, "ComputeRunningProcesses": [], "Name": "Stand-in", **state,
        }  # fmt: skip

    def __getattr__(self, name):
        key = name.removeprefix("nvmlDeviceGet")
        if key == "HandleByUUID":
            return lambda uuid: uuid
        if key not in self.state:
            raise AttributeError(name)

        def answer(device, *more):
            if isinstance(self.state[key], Error):
                raise self.state[key]
            return self.state[key]

        return answer


class Process:
    """One that computes on the GPU."""

    def __init__(self, pid):
        self.pid = pid


def fitness(**state):
    """By the last word of each item's name."""
    return {i.name.rpartition(": ")[2]: i.fitness for i in gpu._inspect(Library(**state), GPU)}


def test_the_stand_in_has_the_names_of_the_library():
    """A fake that answers to other names would show nothing."""
    import pynvml

    for key in Library().state:
        assert callable(getattr(pynvml, f"nvmlDeviceGet{key}"))
    for name in ("NVML_CLOCK_SM", "NVML_MEMORY_ERROR_TYPE_UNCORRECTED", "NVML_VOLATILE_ECC"):
        assert getattr(pynvml, name) == getattr(Library, name)


def test_a_healthy_gpu_may_grade():
    """Nothing but good words."""
    assert set(fitness().values()) == {Fitness.GOOD}


@pytest.mark.parametrize(
    "state, name, expected",
    [
        ({"MigMode": (1, 1)}, "MIG", Fitness.WARN),
        ({"ComputeRunningProcesses": [Process(7)]}, "other processes", Fitness.REFUSE),
        ({"TotalEccErrors": 2}, "ECC errors", Fitness.REFUSE),
        ({"EccMode": (0, 0)}, "ECC", Fitness.WARN),
        ({"PersistenceMode": 0}, "persistence", Fitness.WARN),
        ({"PowerManagementLimit": 300_000}, "power cap", Fitness.WARN),
        ({"CurrentClocksThrottleReasons": 0x40}, "throttled", Fitness.WARN),
    ],
)
def test_what_is_wrong_with_a_gpu_is_said(state, name, expected):
    """And whether it may grade all the same."""
    assert fitness(**state)[name] is expected


def test_a_board_that_does_not_know_a_question_is_not_refused_for_it():
    """Consumer boards have no ECC and no MIG."""
    assert set(fitness(EccMode=Error(), MigMode=Error(), TotalEccErrors=Error()).values()) == {Fitness.GOOD}


def test_only_what_slows_a_kernel_down_drops_a_round():
    """Idle clocks and a display do not; heat and power caps do."""
    words = {
        r: gpu.GpuWatch(GPU, Library(CurrentClocksThrottleReasons=r)).complaint(lambda _: True)
        for r in (0, 1, 2, 4, 0x28, 0x100)
    }
    assert [bool(w) for w in words.values()] == [False, False, False, True, True, False]
    assert words[4] == "the GPU's clocks were held down by the power cap"


def test_a_students_own_processes_drop_no_round():
    """Whoever could cause a drop could be measured for ever; only others count."""
    watch = gpu.GpuWatch(GPU, Library(ComputeRunningProcesses=[Process(7), Process(8)]))
    assert watch.complaint(lambda pid: pid in (7, 8)) == ""
    assert watch.complaint(lambda pid: pid == 7) == "other processes used the GPU (1)"


def test_what_a_machine_lends_is_what_it_was_told(monkeypatch):
    """All that are there, unless the variable says otherwise; a slip in it is no silence."""
    monkeypatch.setattr(gpu, "present", lambda: ("GPU-1", "GPU-2"))
    monkeypatch.delenv(gpu.VARIABLE, raising=False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert gpu.lent() == ("GPU-1", "GPU-2")
    for visible, found in (
        ("1", ("GPU-2",)),
        ("GPU-2,GPU-1", ("GPU-2", "GPU-1")),
        ("", ()),
        ("-1", ()),
        ("7,0", ("GPU-1",)),
    ):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        assert gpu.lent() == found
    for named, found in (
        ("GPU-2", ("GPU-2",)),
        ("GPU-2+host", ("GPU-2+host",)),
        ("none", ()),
        ("", ()),
        ("simulated", ("simulated",)),
    ):
        monkeypatch.setenv(gpu.VARIABLE, named)
        assert gpu.lent() == found
    for wrong in ("GPU-3", "GPU-3+host", "0", "all"):
        monkeypatch.setenv(gpu.VARIABLE, wrong)
        with pytest.raises(MachineError, match=gpu.VARIABLE):
            gpu.lent()


class Cut(Library):
    """A board in two slices, with room for seven; what is asked of a slice but its processes is refused."""

    def nvmlDeviceGetMaxMigDeviceCount(self, board):  # noqa: N802
        return 7

    def nvmlDeviceGetMigDeviceHandleByIndex(self, board, index):  # noqa: N802
        if index not in (0, 3):
            raise Error
        return f"MIG-{board}-{index}"

    def nvmlDeviceGetDeviceHandleFromMigDeviceHandle(self, device):  # noqa: N802
        return device.split("-")[1]

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, device):  # noqa: N802
        if device.startswith("MIG-"):
            raise Error
        return 0x40

    def nvmlDeviceGetComputeRunningProcesses(self, device):  # noqa: N802
        return [Process(7)] if device == "MIG-board-3" else []


def test_a_board_that_is_cut_up_lends_its_slices():
    """Each by its own name; clocks and heat are the board's, tenants the slice's."""
    import pynvml

    library = Cut(MigMode=(1, 1))
    assert gpu._slices(library, "board") == ["MIG-board-0", "MIG-board-3"]
    assert gpu._slices(Library(), "board") == gpu._slices(Library(MigMode=Error()), "board") == ["board"]
    words = [gpu.GpuWatch(s, library).complaint(lambda _: False) for s in ("MIG-board-0",)]
    assert words == ["the GPU's clocks were held down by heat (hardware)"]
    refused = {
        s: [i.name for i in gpu._inspect(library, s) if i.fitness is Fitness.REFUSE]
        for s in gpu._slices(library, "board")
    }
    assert not refused["MIG-board-0"] and "other processes" in refused["MIG-board-3"][0]
    for name in vars(Cut):
        assert not name.startswith("nvml") or callable(getattr(pynvml, name))
