internal import CLinux
package import KernelTypes

/// A network interface as its namespace counts and names it.
package struct NetworkLink: Sendable, Equatable {
    package let index: Int32
    package let name: String
    package let isUp: Bool
}

/// An address of an interface, with all that is needed to give it again.
package struct NetworkAddress: Sendable, Equatable {
    let family: UInt8
    let prefix: UInt8
    let scope: UInt8
    let flags: UInt32
    /// What the kernel said of it and takes back: the address itself, its peer, its broadcast address, its metric.
    let attributes: [NetlinkAttribute]
    /// The label of an IPv4 address, which begins with the interface's name.
    let label: String?

    /// Whether it stays until it is removed and is good for the whole network; ifa_flags and ifa_scope,
    /// rtnetlink(7).
    package var isGlobalAndPermanent: Bool { flags & UInt32(IFA_F_PERMANENT) != 0 && scope == 0 }

    /// In its usual notation.
    var text: String {
        let own = attributes.first { $0.type == IFA_LOCAL } ?? attributes.first { $0.type == IFA_ADDRESS }
        var buffer = [CChar](repeating: 0, count: 64)
        guard let bytes = own?.value, bytes.count >= 4,
            inet_ntop(Int32(family), bytes, &buffer, socklen_t(buffer.count)) != nil
        else { return "an address" }
        return "\(String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))/\(prefix)"
    }
}

extension NetlinkSocket {
    /// The interface with a name; nil where there is none.
    package func link(named name: String) throws(SystemError) -> NetworkLink? {
        var body = Self.linkHeader(index: 0)
        body.append(NetlinkAttribute(type: Self.nameAttribute, text: name))
        do throws(SystemError) {
            let answers = try request(Int(RTM_GETLINK), body: body, "look for network interface", name)
            return answers.compactMap(Self.link).first
        } catch {
            if error.code == .noDevice { return nil }
            throw error
        }
    }

    /// All interfaces of the namespace.
    package func links() throws(SystemError) -> [NetworkLink] {
        try request(Int(RTM_GETLINK), dump: true, body: Self.linkHeader(index: 0), "list network interfaces", "")
            .compactMap(Self.link)
    }

    /// The addresses of an interface, of every family.
    package func addresses(of link: NetworkLink) throws(SystemError) -> [NetworkAddress] {
        // struct ifaddrmsg: family, prefix, flags, scope, index.
        let body = [UInt8](repeating: 0, count: 8)
        let answers = try request(Int(RTM_GETADDR), dump: true, body: body, "list addresses of", link.name)
        return answers.compactMap { Self.address($0, of: link) }
    }

    /// Moves an interface into another namespace, under another name if one is given. Its addresses are lost, and it is
    /// down there.
    package func move(
        _ link: NetworkLink, to namespace: borrowing Descriptor, as name: String
    ) throws(SystemError) {
        var body = Self.linkHeader(index: link.index)
        body.append(NetlinkAttribute(type: Self.namespaceAttribute, number: UInt32(bitPattern: namespace.raw)))
        body.append(NetlinkAttribute(type: Self.nameAttribute, text: name))
        _ = try request(Int(RTM_SETLINK), body: body, "move network interface", link.name)
    }

    /// Sets an interface up, so that it sends and receives.
    package func setUp(_ link: NetworkLink) throws(SystemError) {
        let body = Self.linkHeader(index: link.index, flags: UInt32(IFF_UP.rawValue), change: UInt32(IFF_UP.rawValue))
        _ = try request(Int(RTM_SETLINK), body: body, "set up network interface", link.name)
    }

    /// Gives an interface an address that it had in another namespace.
    package func add(_ address: NetworkAddress, to link: NetworkLink) throws(SystemError) {
        var body: [UInt8] = [address.family, address.prefix, 0, address.scope]
        body.append(value: link.index)
        for attribute in address.attributes { body.append(attribute) }
        if let label = address.label, label.begins(with: link.name) {
            body.append(NetlinkAttribute(type: UInt16(IFA_LABEL), text: label))
        }
        // What the kernel found out about the address in its old place is not for the new one.
        let kept = UInt32(IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE)
        body.append(NetlinkAttribute(type: UInt16(IFA_FLAGS), number: address.flags & kept))
        do throws(SystemError) {
            _ = try request(
                Int(RTM_NEWADDR), flags: NLM_F_CREATE | NLM_F_EXCL, body: body, "add address \(address.text) to",
                link.name)
        } catch {
            if error.code != .exists { throw error }
        }
    }

    // MARK: Packets

    // Enumerators that Swift imports as other integers: IFLA_IFNAME, IFLA_NET_NS_FD.
    private static let nameAttribute: UInt16 = 3
    private static let namespaceAttribute: UInt16 = 28

    /// struct ifinfomsg: family, type, index, flags, which flags change.
    private static func linkHeader(index: Int32, flags: UInt32 = 0, change: UInt32 = 0) -> [UInt8] {
        var bytes: [UInt8] = [0, 0, 0, 0]
        bytes.append(value: index)
        bytes.append(value: flags)
        bytes.append(value: change)
        return bytes
    }

    private static func link(_ message: NetlinkMessage) -> NetworkLink? {
        guard message.type == RTM_NEWLINK, message.content.count >= 16 else { return nil }
        let flags = message.content[...].value(at: 8, as: UInt32.self)
        guard let name = message.attributes(after: 16).first(where: { $0.type == nameAttribute })?.text else {
            return nil
        }
        return NetworkLink(
            index: message.content[...].value(at: 4, as: Int32.self), name: name,
            isUp: flags & UInt32(IFF_UP.rawValue) != 0)
    }

    private static func address(_ message: NetlinkMessage, of link: NetworkLink) -> NetworkAddress? {
        let content = message.content
        guard message.type == RTM_NEWADDR, content.count >= 8,
            content[...].value(at: 4, as: Int32.self) == link.index
        else { return nil }
        let attributes = message.attributes(after: 8)
        let kept = [UInt16(IFA_ADDRESS), UInt16(IFA_LOCAL), UInt16(IFA_BROADCAST), UInt16(IFA_RT_PRIORITY)]
        return NetworkAddress(
            family: content[0], prefix: content[1], scope: content[3],
            flags: attributes.first { $0.type == IFA_FLAGS }?.number ?? UInt32(content[2]),
            attributes: attributes.filter { kept.contains($0.type) },
            label: attributes.first { $0.type == IFA_LABEL }?.text)
    }
}
