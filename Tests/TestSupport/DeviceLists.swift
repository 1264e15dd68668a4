package import OCISpec

/// Lists of device rules that differ in what decides: the last rule, kinds, numbers, accesses.
package enum DeviceLists {
    private static let denyAll = DeviceRule(allow: false, access: "rwm")

    package static let all: [[DeviceRule]] = [
        [denyAll],
        [DeviceRule(allow: true)],
        [denyAll, DeviceRule(allow: true)],
        [DeviceRule(allow: true), denyAll],
        [denyAll, DeviceRule(allow: true, type: .c, major: 10, minor: 200, access: "rwm")],
        [denyAll, DeviceRule(allow: true, type: .b, major: 8, access: "r")],
        [
            denyAll, DeviceRule(allow: true, type: .b, major: 8, minor: 0, access: "r"),
            DeviceRule(allow: true, type: .b, major: 8, minor: 0, access: "w"),
        ],
        [DeviceRule(allow: true), DeviceRule(allow: false, type: .b, major: 8, minor: 1, access: "w")],
        [DeviceRule(allow: true), DeviceRule(allow: false, type: .a, major: -1, minor: 3, access: "rw")],
        [
            denyAll, DeviceRule(allow: true, type: .a, access: "r"), DeviceRule(allow: false, major: 8, access: "m"),
            DeviceRule(allow: true, minor: 2), DeviceRule(allow: false, type: .c, major: 1, minor: 3),
        ],
        [
            denyAll, DeviceRule(allow: true, type: .c, major: 4095, minor: 0xfffff),
            DeviceRule(allow: true, type: .b, major: 4096), DeviceRule(allow: true, type: .b, minor: 0x100000),
        ],
        [denyAll, DeviceRule(allow: true, type: .b), DeviceRule(allow: true, type: .c)],
        [DeviceRule(allow: true), DeviceRule(allow: false, type: .c)],
        [DeviceRule(allow: true, access: "rw"), DeviceRule(allow: false, type: .b, access: "w")],
    ]
}
