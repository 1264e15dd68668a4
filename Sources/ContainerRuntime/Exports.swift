// The errors and options of the library's interface are declared below it: planning and set-up throw and read them,
// too.
@_exported public import Errors
@_exported public import Planning
