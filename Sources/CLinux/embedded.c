// What the standard library of Embedded Swift asks for.
#ifdef RUNBOX_EMBEDDED
#include <stdint.h>

// Unicode's tables, as if no character were composed of others. Equal strings are then the same bytes, which is what
// the kernel and other runtimes take names for, and the tables would be a fiftieth of the executable. The answers for
// a character without properties are those of the standard library's shims/UnicodeData.h.
uint8_t _swift_stdlib_isExtendedPictographic(uint32_t scalar);
uint8_t _swift_stdlib_getGraphemeBreakProperty(uint32_t scalar);
uint8_t _swift_stdlib_isInCB_Consonant(uint32_t scalar);
uint16_t _swift_stdlib_getNormData(uint32_t scalar);
uint32_t _swift_stdlib_getComposition(uint32_t first, uint32_t second);
uint32_t _swift_stdlib_getDecompositionEntry(uint32_t scalar);
extern const uint8_t *const _swift_stdlib_nfd_decompositions;

uint8_t _swift_stdlib_isExtendedPictographic(uint32_t scalar) { return (void)scalar, 0; }
uint8_t _swift_stdlib_getGraphemeBreakProperty(uint32_t scalar) { return (void)scalar, UINT8_MAX; }
uint8_t _swift_stdlib_isInCB_Consonant(uint32_t scalar) { return (void)scalar, 0; }
uint16_t _swift_stdlib_getNormData(uint32_t scalar) { return (void)scalar, 0; }
uint32_t _swift_stdlib_getComposition(uint32_t first, uint32_t second) { return (void)first, (void)second, UINT32_MAX; }
uint32_t _swift_stdlib_getDecompositionEntry(uint32_t scalar) { return (void)scalar, 0; }
const uint8_t *const _swift_stdlib_nfd_decompositions = 0;
#endif
