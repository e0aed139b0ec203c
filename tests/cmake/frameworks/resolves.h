#include <netdb.h>

inline bool resolves(const char* host) {
  addrinfo* found = nullptr;
  const bool there = ::getaddrinfo(host, "80", nullptr, &found) == 0;
  if (there) ::freeaddrinfo(found);
  return there;
}
