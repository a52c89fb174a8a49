"""Every limit of a container, as data.

The system calls are an allow-list: what Python, NumPy, Numba, OpenMP, gcc, MPICH and torch use. Anything else answers
EPERM (ENOSYS for `clone3`, so that glibc falls back to `clone`, whose flags can be filtered). No `timer_create` and no
`timerfd_create`: thousands of timers, armed before a guest is frozen, interrupt whoever is timed on its core while it is.
"""

from __future__ import annotations

import errno
import json
import socket
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from autograder.domain.assignment import Assignment, Kind
from autograder.domain.device import HOST, real, staged, uuid

_SYSCALLS = """
accept accept4 access alarm arch_prctl bind brk chdir chmod chown clock_getres clock_gettime clock_nanosleep close
close_range connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2
epoll_wait eventfd eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64 fallocate fchdir fchmod
fchmodat fchown fchownat fcntl fdatasync fgetxattr flistxattr flock fork fstat fstatfs fsync ftruncate futex futex_waitv
getcpu getcwd getdents getdents64 getegid geteuid getgid getgroups getitimer getpeername getpgid getpgrp getpid getppid
getpriority getrandom getresgid getresuid getrlimit get_robust_list getrusage getsid getsockname getsockopt
get_thread_area gettid gettimeofday getuid getxattr inotify_add_watch inotify_init inotify_init1 inotify_rm_watch ioctl
kill lgetxattr link linkat listen listxattr lseek lstat madvise membarrier memfd_create mincore mkdir mkdirat mlock
mlock2 mlockall mmap mprotect mremap msgctl msgget msgrcv msgsnd msync munlock munlockall munmap nanosleep newfstatat
open openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2 poll ppoll prctl pread64 preadv preadv2 prlimit64
pselect6 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv recvfrom recvmmsg recvmsg rename renameat
renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn
rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sched_getaffinity sched_getattr sched_getparam sched_get_priority_max
sched_get_priority_min sched_getscheduler sched_rr_get_interval sched_setaffinity sched_yield select semctl semget semop
semtimedop sendfile sendmmsg sendmsg sendto setitimer setpgid setpriority set_robust_list setrlimit setsid setsockopt
set_tid_address shmat shmctl shmdt shmget shutdown sigaltstack socketpair splice stat statfs statx symlink symlinkat
sync_file_range sysinfo tee tgkill time times tkill truncate umask uname unlink unlinkat utime utimensat utimes
vfork wait4 waitid write writev get_mempolicy set_mempolicy mbind setuid setgid setgroups setresuid setresgid setregid
setreuid setfsuid setfsgid capget capset
""".split()  # noqa: SIM905  # forty names a line are easier to review than one

# CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET,TIME}: no namespace is ever made inside
_NAMESPACE_FLAGS = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000 | 0x80
_ENOSYS = 38
_UNIFIED = Path("/sys/fs/cgroup/cgroup.controllers").exists()
# What is written into a terminal is carried by the kernel's own threads, on any core and on nobody's account: rounds would be
# dropped as disturbed. So there is nowhere to make one.
_NO_TERMINALS = "ro,noexec,nosuid,nodev,size=4k,mode=0"
_SIMULATORS = {"NUMBA_ENABLE_CUDASIM": "1", "TRITON_INTERPRET": "1"}  # kernels run in Python, for their answers alone

_LOCAL = (socket.AF_UNIX,)
# They reach nothing (no network device but loopback), yet the kernel sends paced packets on while a guest is frozen. So only
# those may have them who need them: MPI's launcher, and perhaps a GPU's driver. Every other family is shut to all.
_LOOPBACK = (socket.AF_INET, socket.AF_INET6)


def seccomp(more: tuple[str, ...] = (), netlink_errno: int = errno.EPERM, *, loopback: bool = False) -> str:
    """The filter, as the JSON that the engine takes.

    Args:
        more: system calls beyond those that every guest may.
        netlink_errno: with what a netlink socket is refused.
        loopback: whether internet sockets may be made.
    """
    allow = "SCMP_ACT_ALLOW"
    flags = {"index": 0, "value": _NAMESPACE_FLAGS, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}
    rules: list[dict[str, Any]] = [
        {"names": [*_SYSCALLS, *more], "action": allow},
        {"names": ["clone"], "action": allow, "args": [flags]},
        {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": _ENOSYS},
        *(
            {"names": ["socket"], "action": allow, "args": [{"index": 0, "value": int(f), "op": "SCMP_CMP_EQ"}]}
            for f in (*_LOCAL, *(_LOOPBACK if loopback else ()))
        ),
    ]
    if netlink_errno != errno.EPERM:  # the default, which may not be written as a rule of its own
        family = {"index": 0, "value": int(socket.AF_NETLINK), "op": "SCMP_CMP_EQ"}
        rules.append({"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": netlink_errno, "args": [family]})
    return json.dumps({"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": rules})


def _kind(device: str) -> str:
    """What the shim is told."""
    if not real(device):
        return device
    return "staged" if staged(device) else "cuda"


@dataclass(frozen=True, slots=True)
class Profile:
    """Limits and flags of one guest.

    Attributes:
        cores: processor numbers it is pinned to (a cpuset, never a CFS quota: quotas stall bursts).
        memory_mb: for everything the guest touches, tmpfs included; there is no swap.
        ranks: of an MPI world, one shim each; 0 is a plain process.
        scratch_mb: size of its working directory, a tmpfs; inodes are bounded too.
        syscalls: allowed beyond the list above.
        netlink_errno: with what a netlink socket is refused; some libraries do without one only if they hear the right word.
        device: of a GPU assignment, where its arrays live: a GPU's UUID, or a word of `domain.device`; empty elsewhere.
        terminals: whether pseudo-terminals can be made; what is timed has none.
        weakened: names of rules left out (capabilities, cpuset, loopback, memory, network, output, pid, pids, read-only,
            scratch, seccomp, shm, terminals, ulimits, user). Only the escape suite uses it, to show that an attack bites.
    """

    image: str
    cores: tuple[int, ...]
    memory_mb: int
    processes: int
    scratch_mb: int
    preload: tuple[str, ...]
    ranks: int = 0
    open_files: int = 1024
    inodes: int = 8192
    shm_mb: int = 64
    runtime: str = ""
    syscalls: tuple[str, ...] = ()
    netlink_errno: int = errno.EPERM
    device: str = ""
    terminals: bool = False
    weakened: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls, assignment: Assignment, image: str, cores: tuple[int, ...], weakened: frozenset[str] = frozenset(),
        gpu: str = "",
    ) -> Profile:  # fmt: skip
        """The profile that an assignment's guests run under.

        Args:
            gpu: the device that this slot has, or empty.
        """
        wanted, ranks = assignment.resources, int(assignment.kind is Kind.MPI)
        device = (gpu or HOST) if assignment.kind is Kind.GPU else ""
        return cls(
            image,
            cores,
            wanted.memory_mb,
            wanted.processes,
            wanted.scratch_mb,
            wanted.preload,
            ranks,
            device=device,
            weakened=weakened,
        )

    def command(self, python: str, shims: str, address: str) -> list[str]:
        """What runs inside: the shim, or MPI's launcher with a shim per rank.

        Args:
            python: the interpreter; a world's launcher lies beside it.
            shims: the folder of the guest's programs.
            address: the judge's socket.
        """
        more = [address, ",".join(self.preload)]
        if not self.ranks:
            return [python, "-I", f"{shims}/{'gpu_shim' if self.device else 'shim'}.py", *more]
        launcher = str(PurePath(python).parent / "mpiexec")
        # without its clean-up a rank that ends leaves the others as they are, so that the judge can name it
        return [
            launcher, "-disable-auto-cleanup", "-n", str(self.ranks), python, "-I", f"{shims}/mpi_shim.py", *more,
            ",".join(map(str, self.cores)),
        ]  # fmt: skip

    @property
    def entry(self) -> list[str]:
        """What runs the command, as the first process of its container.

        The engine gives that process pipes, and reads them even where nothing is logged: who wrote into them (`/proc/1/fd/1`)
        would let the engine burn the leased cores, and rounds be dropped. So nobody inside has them.
        """
        init = ["/usr/bin/tini", "-s", "--"]
        return init if "output" in self.weakened else ["/bin/sh", "-c", 'exec "$@" >/dev/null 2>&1', "sh", *init]

    @property
    def filter(self) -> str:
        """The system calls that it may make."""
        loopback = bool(self.ranks) or real(self.device) or not self.weakened.isdisjoint(("loopback", "network"))
        return seccomp(self.syscalls, self.netlink_errno, loopback=loopback)

    def limits(self, uid: int) -> dict[str, Any]:
        """What the engine is told of a container besides its mounts, in the words of docker-py's `create_host_config`.

        Args:
            uid: of the user inside.
        """
        weak = self.weakened
        memory = f"{4 * self.memory_mb if 'memory' in weak else self.memory_mb}m"
        size = 64 * self.scratch_mb if "scratch" in weak else self.scratch_mb
        inodes = 0 if "scratch" in weak else self.inodes
        terminals = {} if self.terminals or "terminals" in weak else {"/dev/pts": _NO_TERMINALS}
        work = f"rw,exec,nosuid,nodev,size={size}m,nr_inodes={inodes},mode=0700,uid={uid},gid={uid}"
        most = {"nofile": self.open_files, "core": 0, "memlock": 1 << 16, "msgqueue": 0}
        options: dict[str, Any] = {
            "network_mode": "bridge" if "network" in weak else "none",
            "read_only": "read-only" not in weak,
            "cap_drop": [] if "capabilities" in weak else ["ALL"],
            "cap_add": ["SYS_ADMIN"] if "capabilities" in weak else [],
            "security_opt": ["seccomp=unconfined"]
            if "seccomp" in weak
            else ["no-new-privileges", f"seccomp={self.filter}"],
            "pids_limit": -1 if "pids" in weak else self.processes,
            "mem_limit": memory,
            "memswap_limit": memory,
            "mem_swappiness": 0,
            "cpuset_cpus": None if "cpuset" in weak else ",".join(map(str, self.cores)),
            "tmpfs": {"/work": work, **terminals},
            "shm_size": f"{16 * self.shm_mb if 'shm' in weak else self.shm_mb}m",
            "ipc_mode": "private",
            "pid_mode": "host" if "pid" in weak else None,
            "log_config": {"Type": "none"},
            "ulimits": [] if "ulimits" in weak else [{"name": n, "soft": m, "hard": m} for n, m in most.items()],
        }
        if real(self.device):  # docker run --gpus device=UUID, by the NVIDIA container toolkit
            gpu = {"driver": "nvidia", "device_ids": [uuid(self.device)]}
            options["device_requests"] = [gpu | {"capabilities": [["gpu", "compute", "utility"]]}]
        if self.runtime:
            options["runtime"] = self.runtime
        if _UNIFIED:
            options.pop("mem_swappiness")  # cgroup v2 knows no swappiness; memory = memory+swap shuts swap on both
        return options

    @property
    def environment(self) -> dict[str, str]:
        """The whole environment of a guest; thread counts follow the cores."""
        threads = str(max(len(self.cores) // max(self.ranks, 1), 1))
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
        return {
            **dict.fromkeys(names, threads),
            "PATH": "/opt/venv/bin:/usr/bin:/bin",
            "HOME": "/work",
            "USER": "student",
            "TMPDIR": "/work",
            "LANG": "C.UTF-8",
            "PYTHONHASHSEED": "0",
            # As the C library's allocator is once it has seen large arrays, and not only then: temporaries of less than 32 MiB
            # use the memory of the last one again. The shim gives all that is free back before each call (see there).
            "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
            "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
            "NUMBA_CACHE_DIR": "/work/.numba",
            "MPIR_CVAR_CH4_CMA_ENABLE": "0",  # the filter denies process_vm_readv; without this MPICH can hang
            **({"AUTOGRADER_DEVICE": _kind(self.device)} if self.device else {}),
            **(_SIMULATORS if self.device and not real(self.device) else {}),
        }
