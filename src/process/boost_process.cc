// The part of Boost.Process v2 that is compiled once per program (Boost 1.80 to 1.85).
#include <boost/process/v2/src.hpp>
