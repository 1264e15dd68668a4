/// How many CPUs and NUMA nodes there can be.
package enum Placement {
    /// The most CPUs a kernel can be built for on any machine (CONFIG_NR_CPUS).
    package static let mostCPUs = 8192

    /// The most memory nodes a kernel can be built for on any machine (MAX_NUMNODES).
    package static let mostNodes = 1024
}
