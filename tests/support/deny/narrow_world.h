// The denials of `deny` that are made with namespaces, mounts, limits and capabilities.
//
// All act on the calling process, which must be single-threaded, and on what it starts; the host is
// never changed. Throw std::system_error naming the step.
#pragma once

#include <string>
#include <vector>

namespace isoenv::test {

/// A user namespace in which every id of the caller's namespace is itself (as root), or the
/// caller's own is (otherwise).
void enter_user_namespace();
/// A mount namespace whose mounts do not reach the host. Needs enter_user_namespace() but as root.
void enter_mount_namespace();

/// `user_namespaces=0`, …: /proc/sys/user/max_* of the user namespace entered.
void set_namespace_limit(const std::string& text);
/// Hides and write-protects of /proc and /sys what container engines do.
void mask_proc_and_sys();
/// `PATH=TEXT`: the file has this line. When there is none, its folder has nothing but it.
void cover_file(const std::string& text);
/// Its folder becomes a copy in memory, of what can be read there, without that file.
void leave_out(const std::string& path);
/// The file or folder, and all below, cannot be written.
void make_read_only(const std::string& path);
/// The same, but what cannot be done with the files is to execute them.
void forbid_execution(const std::string& path);
/// `PATH=OPTIONS`: an empty file system in memory with these options of tmpfs(5).
void cover_with_memory(const std::string& text);
/// A root directory that is not the mount namespace's: chroot(2) into a mount of the same files.
void change_root();

/// `nproc=N`, `nofile=N`, `fsize=N`, `memlock=N`, `stack=N`.
void set_limit(const std::string& text);
/// `SYS_ADMIN`, …, or `all`: gone for good, also for what has file capabilities.
void drop_capability(const std::string& name);
/// All but those that Docker gives root by default.
void keep_docker_capabilities();

}  // namespace isoenv::test
