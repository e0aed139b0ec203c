// Who is at the other end of a control connection, asked of the kernel and never of the peer.
#pragma once

#include <string>

namespace isoenv {

/// "" for a process of this user that belongs to this keeper's instance or to the place where the
/// keeper was started; otherwise the reason why it is not answered. Called in the keeper, whose
/// /proc is that of the place where it was started.
///
/// Another instance's processes live in another PID namespace below that place. They are told by it
/// where the kernel names the peer's process (SO_PEERPIDFD, Linux 6.5); elsewhere the covered run
/// roots alone keep them away (run_root_cover.h).
std::string why_not_to_talk_to(int socket);

}  // namespace isoenv
