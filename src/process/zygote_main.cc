// isoenv-zygote: executed by the keeper from memory (zygote.cc), never by a person.
#include "process/zygote_process.h"

int main() { isoenv::serve_as_zygote(isoenv::UniqueFd(isoenv::kZygoteSocket)); }
