internal import CLinux
package import KernelTypes

package enum NetworkInterfaces {
    /// Sets a network interface of this network namespace up. netdevice(7), SIOCSIFFLAGS.
    package static func bringUp(_ name: String) throws(SystemError) {
        let end = Descriptor(
            raw: try check("socket") { socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0) })
        var request = ifreq()
        withUnsafeMutableBytes(of: &request.ifr_ifrn.ifrn_name) {
            $0.copyBytes(from: name.utf8.prefix(Int(IFNAMSIZ) - 1))
        }
        let raw = end.raw
        _ = try check("ioctl(SIOCGIFFLAGS)", name) { clinux_ioctl(raw, UInt(SIOCGIFFLAGS), &request) }
        request.ifr_ifru.ifru_flags |= Int16(IFF_UP.rawValue)
        _ = try check("ioctl(SIOCSIFFLAGS)", name) { clinux_ioctl(raw, UInt(SIOCSIFFLAGS), &request) }
    }
}
