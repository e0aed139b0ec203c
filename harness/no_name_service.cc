// What the C library would ask name services with, answered with "no such name".
//
// libnl can resolve names of hosts and protocols; IsoEnv gives it numbers only. Without these, a
// static program would carry a resolver that needs the shared libraries of the very C library it
// was linked with.
#include <netdb.h>

extern "C" {

int getaddrinfo(const char*, const char*, const addrinfo*, addrinfo**) { return EAI_NONAME; }
protoent* getprotobyname(const char*) { return nullptr; }
protoent* getprotobynumber(int) { return nullptr; }

}  // extern "C"
