extension SeccompNames {
    /// Calls of Linux 5.9 to 6.18, which libseccomp learnt one by one. Names that it knows are not looked up here.
    static let newerNames =
        "cachestat close_range epoll_pwait2 fchmodat2 file_getattr file_setattr futex_requeue futex_wait futex_waitv "
        + "futex_wake getxattrat landlock_add_rule landlock_create_ruleset landlock_restrict_self listmount "
        + "listxattrat lsm_get_self_attr lsm_list_modules lsm_set_self_attr map_shadow_stack memfd_secret "
        + "mount_setattr mseal open_tree_attr process_madvise process_mrelease quotactl_fd removexattrat "
        + "riscv_hwprobe set_mempolicy_home_node setxattrat statmount uprobe uretprobe"
}
