// A lease file.
#include "fuzz.h"
#include "harness/lease.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace isoenv;
  using namespace isoenv::fuzz;
  const std::optional<Lease> lease = parse_lease(text_of(data, size));
  if (lease) require(parse_lease(lease_text(*lease)) == lease, "a lease is read as it was written");
  return 0;
}
