internal import Errors
internal import Kernel
internal import KernelTypes
internal import OCISpec

extension HostChecks {
    func users() -> [HostFinding] {
        [namespaceTrial()] + (facts.isRoot ? [] : subordinateIDs() + helpers() + [state()])
    }

    private func namespaceTrial() -> HostFinding {
        let id = "users.namespaces"
        let summary = "user namespaces"
        let cost =
            facts.isRoot
            ? "containers with a user namespace cannot be made" : "an ordinary user cannot make containers at all"
        func gap(_ why: String, _ remedy: String) -> HostFinding {
            .missing(id, "\(summary): \(why)", cost: cost, remedy: remedy, essential: !facts.isRoot)
        }
        switch facts.users.trial {
        case .works: return .ok(id, summary, essential: !facts.isRoot)
        case .powerless:
            return gap(
                "made without any privileges in them",
                facts.users.appArmorRestricts == true
                    ? Remedy.appArmorProfile() : "let the security module allow them to runbox")
        case .refused(let code):
            if facts.users.maximum == 0 {
                return gap("their number is limited to 0", Remedy.sysctl("user.max_user_namespaces", "15000"))
            }
            if facts.users.unprivilegedClone == false, !facts.isRoot {
                return gap("switched off for ordinary users", Remedy.sysctl("kernel.unprivileged_userns_clone", "1"))
            }
            if facts.users.appArmorRestricts == true, !facts.isRoot {
                return gap("restricted by AppArmor", Remedy.appArmorProfile())
            }
            if code == .noSpace {
                return gap("their number is used up", Remedy.sysctl("user.max_user_namespaces", "100000"))
            }
            return gap("refused (\(code))", "run runbox outside of the sandbox or container that forbids it")
        }
    }

    private func subordinateIDs() -> [HostFinding] {
        func judge(_ kind: String, _ count: UInt64, _ file: String, _ flag: String) -> HostFinding {
            let id = "users.\(kind)"
            if count >= 65536 { return .ok(id, "\(count) ids in \(file)") }
            let remedy = "as root: usermod --add-\(flag) 100000-165535 \(facts.userName)"
            if count == 0 {
                return .missing(
                    id, "\(facts.userName) has no ids in \(file)",
                    cost: "containers have one user only, and images with more cannot be used", remedy: remedy)
            }
            return .warn(
                id, "\(facts.userName) has \(count) ids in \(file)",
                cost: "images with users up to 65535 cannot be used", remedy: remedy)
        }
        return [
            judge("subuid", facts.users.subordinateUsers, "/etc/subuid", "subuids"),
            judge("subgid", facts.users.subordinateGroups, "/etc/subgid", "subgids"),
        ]
    }

    private func helpers() -> [HostFinding] {
        func judge(_ name: String, _ helper: UserFacts.Helper?, _ capability: String) -> HostFinding {
            let id = "users.\(name)"
            let cost = "containers have one user only: the ids of /etc/subuid and /etc/subgid need it"
            guard let helper else {
                return .missing(
                    id, "no \(name)", cost: cost, remedy: "as root: \(install("uidmap", fedora: "shadow-utils"))")
            }
            if helper.isPrivileged { return .ok(id, helper.path) }
            return .missing(
                id, "\(helper.path) is neither set-user-ID nor has it \(capability)", cost: cost,
                remedy: "as root: setcap \(capability)=ep \(helper.path)")
        }
        return [
            judge("newuidmap", facts.users.newuidmap, "cap_setuid"),
            judge("newgidmap", facts.users.newgidmap, "cap_setgid"),
        ]
    }

    private func state() -> HostFinding {
        let id = "users.state"
        if facts.users.canKeepState { return .ok(id, "state is kept in \(facts.users.stateRoot)") }
        return .missing(
            id, "no state can be kept in \(facts.users.stateRoot)", cost: "every command needs --root",
            remedy: facts.tools.runsSystemd
                ? "export XDG_RUNTIME_DIR=/run/user/$(id -u); where that is not there, as root: loginctl enable-linger \(facts.userName)"
                : "as root: install -d -m 700 -o \(facts.userName) /run/user/$(id -u \(facts.userName)); then export XDG_RUNTIME_DIR=/run/user/$(id -u)"
        )
    }
}
