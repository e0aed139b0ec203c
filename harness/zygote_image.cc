#include "harness/zygote_image.h"

#ifdef ISOENV_ZYGOTE

asm(".pushsection .rodata\n"
    ".global isoenv_zygote_begin, isoenv_zygote_end\n"
    ".hidden isoenv_zygote_begin, isoenv_zygote_end\n"
    "isoenv_zygote_begin: .incbin \"" ISOENV_ZYGOTE
    "\"\n"
    "isoenv_zygote_end:\n"
    ".popsection\n");

extern "C" {
__attribute__((visibility("hidden"))) extern const char isoenv_zygote_begin[];
__attribute__((visibility("hidden"))) extern const char isoenv_zygote_end[];
}

namespace isoenv {

std::string_view zygote_image() { return {isoenv_zygote_begin, isoenv_zygote_end}; }

}  // namespace isoenv

#else

namespace isoenv {

std::string_view zygote_image() { return {}; }

}  // namespace isoenv

#endif
