"""What engines.py runs of containerd: its groups of cases, each with what was there before it."""

import bench
import cri_boxes
import cri_pods
import cri_streams
import ctr
import ctr_boxes
import ctr_more

# ctr, asked for everything, and for what each manager of cgroups has a part in.
CTR = [ctr.FIRST, ctr.LIFE[:4] + ctr_more.EXEC[:1] + ctr.LIFE[4:11] + ctr_more.EXEC[1:] + ctr.LIFE[11:], ctr.FURTHER, ctr_boxes.USERS, ctr_boxes.GIVEN,
    ctr_more.MORE]
# Without the fifty at once: an emulated systemd takes minutes for their scopes, whoever asks for them.
CTR_LIFE = [ctr.FIRST[:2], ctr.LIFE[:4] + ctr_more.EXEC[:1] + ctr.LIFE[4:], ctr_more.MORE[-3:]]
PODS = [cri_pods.FIRST, cri_streams.STREAMS, cri_boxes.USERS, cri_boxes.RIGHTS, cri_boxes.THINGS, cri_pods.SHARED, cri_pods.ENDS]


def named(groups, *names):
    """Of all groups' cases those with these names, as one group."""
    return [bench.named([case for group in groups for case in group], *names)]


# What tells most, within a minute of an emulated machine.
PODS_SHORT = named(PODS, "a pod", "a pod with a network, host name and resolver", "exit status and both streams", "a command that is not there",
    "a container that stays",
                   "exec: status and both streams", "exec as a stream, with input", "seccomp RuntimeDefault", "its cgroup",
                   "limits, and UpdateContainerResources", "out of memory",
                   "the pods end")
# Where systemd makes the cgroups.
PODS_LIFE = [cri_pods.FIRST, cri_streams.STREAMS[:5]] + [group for group in named(
    PODS, "statistics", "statistics of the pod", "stop", "its cgroup", "limits, and UpdateContainerResources", "limits by file of the cgroup", "out of memory",
    "namespaces of a pod", "a pod that ends with what runs in it", "containerd killed and started again", "the shim killed", "the pods end")]


def run_groups(title, engines, groups, count):
    for cases in groups:
        bench.run_cases(title, engines, cases, count)
