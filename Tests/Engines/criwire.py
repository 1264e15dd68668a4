"""Messages of the Container Runtime Interface (runtime.v1), written and read by hand: a table of field numbers, and the wire form of protocol buffers."""

# One message a line. Types: s text, y bytes, i every number, m a map of texts, a name a message; * before it: repeated.
TABLE = """
Empty
Id: pod_sandbox_id 1 s
ContainerId: container_id 1 s
VersionRequest: version 1 s
VersionResponse: version 1 s, runtime_name 2 s, runtime_version 3 s, runtime_api_version 4 s
DNSConfig: servers 1 *s, searches 2 *s, options 3 *s
PortMapping: protocol 1 i, container_port 2 i, host_port 3 i, host_ip 4 s
IDMapping: host_id 1 i, container_id 2 i, length 3 i
Mount: container_path 1 s, host_path 2 s, readonly 3 i, propagation 5 i, uidMappings 6 *IDMapping, gidMappings 7 *IDMapping, recursive_read_only 8 i
UserNamespace: mode 1 i, uids 2 *IDMapping, gids 3 *IDMapping
NamespaceOption: network 1 i, pid 2 i, ipc 3 i, target_id 4 s, userns_options 5 UserNamespace
Int64Value: value 1 i
SecurityProfile: profile_type 1 i, localhost_ref 2 s
PodSecurity: namespace_options 1 NamespaceOption, run_as_user 3 Int64Value, readonly_rootfs 4 i, supplemental_groups 5 *i, privileged 6 i, \
run_as_group 8 Int64Value, seccomp 9 SecurityProfile, apparmor 10 SecurityProfile
Resources: cpu_period 1 i, cpu_quota 2 i, cpu_shares 3 i, memory_limit_in_bytes 4 i, oom_score_adj 5 i, cpuset_cpus 6 s, cpuset_mems 7 s, \
unified 9 m, memory_swap_limit_in_bytes 10 i
LinuxPod: cgroup_parent 1 s, security_context 2 PodSecurity, sysctls 3 m, overhead 4 Resources, resources 5 Resources
PodMetadata: name 1 s, uid 2 s, namespace 3 s, attempt 4 i
PodConfig: metadata 1 PodMetadata, hostname 2 s, log_directory 3 s, dns_config 4 DNSConfig, port_mappings 5 *PortMapping, labels 6 m, annotations 7 m, linux 8 LinuxPod
RunPodSandboxRequest: config 1 PodConfig, runtime_handler 2 s
PodSandboxStatusRequest: pod_sandbox_id 1 s, verbose 2 i
Network: ip 1 s
PodNamespaces: options 2 NamespaceOption
LinuxPodStatus: namespaces 1 PodNamespaces
PodStatus: id 1 s, metadata 2 PodMetadata, state 3 i, network 5 Network, linux 6 LinuxPodStatus, labels 7 m, annotations 8 m, runtime_handler 9 s
PodSandboxStatusResponse: status 1 PodStatus, info 2 m
PodFilter: id 1 s, label_selector 3 m
ListPodSandboxRequest: filter 1 PodFilter
Pod: id 1 s, metadata 2 PodMetadata, state 3 i, runtime_handler 7 s
ListPodSandboxResponse: items 1 *Pod
Capability: add_capabilities 1 *s, drop_capabilities 2 *s, add_ambient_capabilities 3 *s
Security: capabilities 1 Capability, privileged 2 i, namespace_options 3 NamespaceOption, run_as_user 5 Int64Value, run_as_username 6 s, readonly_rootfs 7 i, \
supplemental_groups 8 *i, no_new_privs 11 i, run_as_group 12 Int64Value, masked_paths 13 *s, readonly_paths 14 *s, seccomp 15 SecurityProfile, \
apparmor 16 SecurityProfile, supplemental_groups_policy 17 i
LinuxContainer: resources 1 Resources, security_context 2 Security
ContainerMetadata: name 1 s, attempt 2 i
Device: container_path 1 s, host_path 2 s, permissions 3 s
KeyValue: key 1 s, value 2 s
ImageSpec: image 1 s
ContainerConfig: metadata 1 ContainerMetadata, image 2 ImageSpec, command 3 *s, args 4 *s, working_dir 5 s, envs 6 *KeyValue, mounts 7 *Mount, devices 8 *Device, \
labels 9 m, annotations 10 m, log_path 11 s, stdin 12 i, stdin_once 13 i, tty 14 i, linux 15 LinuxContainer, stop_signal 18 i
CreateContainerRequest: pod_sandbox_id 1 s, config 2 ContainerConfig, sandbox_config 3 PodConfig
StopContainerRequest: container_id 1 s, timeout 2 i
ContainerFilter: id 1 s, pod_sandbox_id 3 s
ListContainersRequest: filter 1 ContainerFilter
Container: id 1 s, pod_sandbox_id 2 s, metadata 3 ContainerMetadata, state 6 i
ListContainersResponse: containers 1 *Container
LinuxUser: uid 1 i, gid 2 i, supplemental_groups 3 *i
User: linux 1 LinuxUser
ContainerResources: linux 1 Resources
ContainerStatusRequest: container_id 1 s, verbose 2 i
ContainerStatus: id 1 s, metadata 2 ContainerMetadata, state 3 i, created_at 4 i, started_at 5 i, finished_at 6 i, exit_code 7 i, reason 10 s, message 11 s, \
mounts 14 *Mount, log_path 15 s, resources 16 ContainerResources, user 18 User, stop_signal 19 i
ContainerStatusResponse: status 1 ContainerStatus, info 2 m
UpdateContainerResourcesRequest: container_id 1 s, linux 2 Resources
ExecSyncRequest: container_id 1 s, cmd 2 *s, timeout 3 i
ExecSyncResponse: stdout 1 y, stderr 2 y, exit_code 3 i
ExecRequest: container_id 1 s, cmd 2 *s, tty 3 i, stdin 4 i, stdout 5 i, stderr 6 i
AttachRequest: container_id 1 s, stdin 2 i, tty 3 i, stdout 4 i, stderr 5 i
PortForwardRequest: pod_sandbox_id 1 s, port 2 *i
Url: url 1 s
Number: value 1 i
CpuUsage: timestamp 1 i, usage_core_nano_seconds 2 Number
MemoryUsage: timestamp 1 i, working_set_bytes 2 Number, usage_bytes 4 Number
ProcessUsage: timestamp 1 i, process_count 2 Number
ContainerAttributes: id 1 s, metadata 2 ContainerMetadata
ContainerStats: attributes 1 ContainerAttributes, cpu 2 CpuUsage, memory 3 MemoryUsage
ContainerStatsResponse: stats 1 ContainerStats
LinuxPodStats: cpu 1 CpuUsage, memory 2 MemoryUsage, process 4 ProcessUsage, containers 5 *ContainerStats
PodStats: linux 2 LinuxPodStats
PodSandboxStatsResponse: stats 1 PodStats
Condition: type 1 s, status 2 i, reason 3 s, message 4 s
Conditions: conditions 1 *Condition
StatusRequest: verbose 1 i
HandlerFeatures: recursive_read_only_mounts 1 i, user_namespaces 2 i
Handler: name 1 s, features 2 HandlerFeatures
StatusResponse: status 1 Conditions, info 2 m, runtime_handlers 3 *Handler
CgroupDriver: cgroup_driver 1 i
RuntimeConfigResponse: linux 1 CgroupDriver
CheckpointContainerRequest: container_id 1 s, location 2 s, timeout 3 i
ContainerEvent: container_id 1 s, container_event_type 2 i
Image: id 1 s, repo_tags 2 *s, pinned 8 i
ListImagesResponse: images 1 *Image
"""

# What is asked, and the messages there and back; "" stands for one without fields.
METHODS = {name: (there, back) for name, there, back in (line.split() for line in """
Version VersionRequest VersionResponse
Status StatusRequest StatusResponse
RuntimeConfig Empty RuntimeConfigResponse
RunPodSandbox RunPodSandboxRequest Id
StopPodSandbox Id Empty
RemovePodSandbox Id Empty
PodSandboxStatus PodSandboxStatusRequest PodSandboxStatusResponse
ListPodSandbox ListPodSandboxRequest ListPodSandboxResponse
PodSandboxStats Id PodSandboxStatsResponse
CreateContainer CreateContainerRequest ContainerId
StartContainer ContainerId Empty
StopContainer StopContainerRequest Empty
RemoveContainer ContainerId Empty
ListContainers ListContainersRequest ListContainersResponse
ContainerStatus ContainerStatusRequest ContainerStatusResponse
ContainerStats ContainerId ContainerStatsResponse
UpdateContainerResources UpdateContainerResourcesRequest Empty
ReopenContainerLog ContainerId Empty
ExecSync ExecSyncRequest ExecSyncResponse
Exec ExecRequest Url
Attach AttachRequest Url
PortForward PortForwardRequest Url
CheckpointContainer CheckpointContainerRequest Empty
GetContainerEvents Empty ContainerEvent
ListImages Empty ListImagesResponse
""".strip().splitlines())}


def read_table():
    messages = {}
    for line in TABLE.strip().splitlines():
        name, _, fields = line.partition(":")
        messages[name] = [(field, int(number), kind) for field, number, kind in (part.split() for part in fields.split(",") if part.strip())]
    return messages


MESSAGES = read_table()


def varint(number):
    number &= (1 << 64) - 1
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(parts + bytearray([number]))


def lengthed(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def encode_one(number, kind, value):
    if kind == "i":
        return varint(number << 3) + varint(int(value))
    if kind == "m":
        return b"".join(lengthed(number, lengthed(1, key.encode()) + lengthed(2, text.encode())) for key, text in value.items())
    if kind in "sy":
        return lengthed(number, value.encode() if isinstance(value, str) else value)
    return lengthed(number, encode(kind, value))


def encode(message, values):
    known = {field: (number, kind) for field, number, kind in MESSAGES[message]}
    data = b""
    for field, value in values.items():
        number, kind = known[field]
        if kind == "*i":
            data += lengthed(number, b"".join(map(varint, value)))
        elif kind.startswith("*"):
            data += b"".join(encode_one(number, kind[1:], one) for one in value)
        else:
            data += encode_one(number, kind, value)
    return data


def take_varint(data, place):
    number = shift = 0
    while True:
        byte = data[place]
        number |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if not byte & 0x80:
            return (number - (1 << 64) if number >> 63 else number), place


def parts(data):
    """The fields of a message: number, and a number or bytes."""
    place = 0
    while place < len(data):
        key, place = take_varint(data, place)
        if key & 7 == 0:
            value, place = take_varint(data, place)
        else:
            size, place = ({1: 8, 5: 4}[key & 7], place) if key & 7 in (1, 5) else take_varint(data, place)
            value, place = data[place:place + size], place + size
        yield key >> 3, value


def packed(value):
    if isinstance(value, int):
        return [value]
    numbers, place = [], 0
    while place < len(value):
        number, place = take_varint(value, place)
        numbers.append(number)
    return numbers


def decode_one(kind, value):
    if kind == "i":
        return value
    if kind == "s":
        return value.decode(errors="replace")
    return value if kind == "y" else decode(kind, value)


def decode(message, data):
    """A dictionary with every field of the table; what is not there has the value for that."""
    empty = {"i": 0, "s": "", "y": b""}
    known = {number: (field, kind) for field, number, kind in MESSAGES[message]}
    values = {field: [] if kind[0] == "*" else {} if kind == "m" else empty.get(kind, {}) for field, _, kind in MESSAGES[message]}
    for number, value in parts(data):
        field, kind = known.get(number, (None, None))
        if kind == "m":
            pair = dict(parts(value))
            values[field][pair.get(1, b"").decode()] = pair.get(2, b"").decode(errors="replace")
        elif kind == "*i":
            values[field] += packed(value)
        elif kind and kind[0] == "*":
            values[field].append(decode_one(kind[1:], value))
        elif kind:
            values[field] = decode_one(kind, value)
    return values
