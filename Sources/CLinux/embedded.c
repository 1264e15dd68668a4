// What the standard library of Embedded Swift asks for and the toolchain's libraries for it lack.
#ifdef RUNBOX_EMBEDDED
#include <stdlib.h>

const char *_swift_stdlib_strtod_clocale(const char *text, double *result);

// For Double(String): the end of what was read. The process never calls setlocale, so its locale is "C".
const char *_swift_stdlib_strtod_clocale(const char *text, double *result) {
    char *end;
    *result = strtod(text, &end);
    return end;
}
#endif
