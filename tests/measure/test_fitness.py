"""What a machine's own files say about its fitness."""

from autograder.measure.fitness import Fitness, inspect


def machine(tmp_path, **files):
    """A folder in place of `/`."""
    for name, text in {"sys/fs/cgroup/cgroup.controllers": "cpu", "proc/swaps": "Filename\n", **files}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return {item.name: item for item in inspect((0,), tmp_path)}


def test_a_clean_machine_is_good(tmp_path):
    """Nothing to complain about beyond who runs this."""
    items = machine(tmp_path, **{"sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "performance"})
    assert {i.name for i in items.values() if i.fitness is Fitness.REFUSE} == set()
    assert items["frequency governor"].words == "performance"


def test_each_trouble_is_named_with_its_remedy(tmp_path):
    """SMT, governor, turbo, huge pages, swap."""
    items = machine(
        tmp_path,
        **{
            "sys/devices/system/cpu/smt/active": "1",
            "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "powersave",
            "sys/devices/system/cpu/cpufreq/boost": "1",
            "sys/kernel/mm/transparent_hugepage/enabled": "[always] madvise never",
            "proc/swaps": "Filename\n/dev/sda2 partition\n",
        },
    )
    for name in ("SMT", "frequency governor", "turbo", "huge pages", "swap"):
        assert items[name].fitness is Fitness.WARN
    assert "cpupower" in items["frequency governor"].words


def test_a_machine_without_a_freezer_is_refused(tmp_path):
    """Nothing can be measured where nothing can be frozen."""
    items = {i.name: i for i in inspect((0,), tmp_path)}
    assert items["cgroup freezer"].fitness is Fitness.REFUSE
