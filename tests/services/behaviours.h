// What `test_service` can do: one function a behaviour, named as on its command line.
//
// Behaviours are chained with the word `then`: `ignores SIGTERM then tcp_echo * 3000`. Each runs
// after the one before has returned. Plain POSIX, no product code: these programs stand for the
// services of others, and must not share a defect with what they test.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace isoenv::test {

using Arguments = std::vector<std::string>;

/// Ends the program with `message` on stderr and exit code 1.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Failure with the text of errno.
[[noreturn]] void fail(const std::string& operation);

/// argument N; a Failure when it is missing and there is no `otherwise`.
std::string argument(const Arguments& arguments, std::size_t index);
std::string argument(const Arguments& arguments, std::size_t index, const std::string& otherwise);

// servers.cc. ADDRESS: a numeric address, or `*` for all of both families. PORT: a number, or
// `env:NAME` for the value of a variable. None of them returns.
void tcp_echo(const Arguments&);    // ADDRESS PORT [PREFIX]: answers every line with PREFIX + line
void udp_echo(const Arguments&);    // ADDRESS PORT [PREFIX]
void http_hello(const Arguments&);  // ADDRESS PORT: / /health /fail /count /env
void unix_echo(const Arguments&);   // PATH

// clients.cc. FAMILY: `4`, `6` or `any`. The answer goes to stdout.
void tcp_ask(const Arguments&);   // FAMILY HOST PORT TEXT
void udp_ask(const Arguments&);   // FAMILY HOST PORT TEXT
void http_get(const Arguments&);  // FAMILY HOST PORT PATH
void resolves(const Arguments&);  // NAME...: `NAME ADDRESS` for each address

// life.cc: how a program waits and ends.
void waits(const Arguments&);          // for ever; default signal dispositions
void waits_for(const Arguments&);      // FIFO: until another process writes to it
void exits(const Arguments&);          // CODE
void crashes(const Arguments&);        // segv | abort
void ignores(const Arguments&);        // SIGNAL
void exits_on(const Arguments&);       // SIGNAL CODE: installs the handler and goes on
void counts(const Arguments&);         // SIGNAL: how often it comes until a line of stdin does
void leaves_daemon(const Arguments&);  // FILE: a grandchild in its own session, deaf to SIGTERM
void forks(const Arguments&);          // COUNT: as many children that wait
void removes(const Arguments&);        // PATH: a file, or an empty folder
void becomes(const Arguments&);        // PROGRAM ARG...: execv(3)
void signals_all(const Arguments&);    // SIGNAL: kill(-1): to every process it can see but PID 1

// violence.cc: what no service should do.
void forks_without_end(const Arguments&);  // COUNT: no more than that at a time, each for a moment
void fills_disk(const Arguments&);         // 4 MB a second to stdout, and to a file in TMPDIR
void threads(const Arguments&);            // COUNT: as many threads that wait
void executes(const Arguments&);           // PROGRAM [ARGUMENT...]: becomes it
void tcp_never_reads(const Arguments&);    // ADDRESS PORT: accepts, and reads nothing
void tcp_stuffs(const Arguments&);         // FAMILY HOST PORT: sends until nothing more fits, waits

// output.cc: what a program tells. TEXT may hold \n, \0 and \xNN.
void writes(const Arguments&);             // TEXT...: to stdout, or to stderr after `err:`
void writes_flat_out(const Arguments&);    // LETTER LINES: lines of it, cut at awkward places
void writes_without_end(const Arguments&);  // TEXT: again and again
void copies_stdin(const Arguments&);       // stdin to stdout until its end
void notifies(const Arguments&);           // TEXT: one datagram to NOTIFY_SOCKET
void creates_file(const Arguments&);       // PATH
void shows_environment(const Arguments&);  // `key value` lines; see show_environment.cc

// attacker.cc: what must not succeed inside. ACTION and its words: see attacker.cc.
void attempts(const Arguments&);            // ACTION WORD...: `ACTION WORD...: ok` or the errno
void offers(const Arguments&);              // shared_memory|posix_queue|sysv_queue NAME: makes one
void withdraws(const Arguments&);           // the same: removes it
void listens_everywhere(const Arguments&);  // on loopback and an abstract name; tells where

// clients.cc
/// Connected to the first address of FAMILY HOST PORT that accepts.
int connected_socket(const Arguments& arguments, int type);

// sockets.cc
/// A bound socket: SOCK_STREAM also listens. `*` binds both families.
int bound_socket(const std::string& address, const std::string& port, int type);
int port_number(const std::string& text);
int signal_from_name(const std::string& name);

}  // namespace isoenv::test
