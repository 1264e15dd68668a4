// What the library's interface is made of beside its own types is declared in the modules below it: errors, options,
// signals. Of these modules a program sees what is public.
@_exported public import CgroupPlanning
@_exported public import Errors
@_exported public import KernelTypes
@_exported public import OCISpec
@_exported public import Planning
