// Where the `isoenv` is that the library came with: only the project that links it knows. Compiled
// as part of that project.
namespace isoenv {
inline namespace client {

const char* accompanying_executable();
const char* accompanying_executable() { return ISOENV_CLIENT_EXECUTABLE; }

}  // namespace client
}  // namespace isoenv
