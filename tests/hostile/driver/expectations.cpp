#include "tests/hostile/driver/expectations.h"

#include <algorithm>
#include <array>

namespace garland::hostile {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kUsual{10'000};
constexpr std::chrono::milliseconds kSoon{200}; // a second later the host ends who has not stopped

// Refused by the kernel's filter of system calls; succeeds where there is none.
constexpr Expectation filtered(std::string_view act) {
  return {.act = act, .stopped_by = "seccomp", .control = Control::anybody};
}
// The same, where an ordinary user may not do it anyway, or nothing would be left to see.
constexpr Expectation filteredOnly(std::string_view act) { return {.act = act, .stopped_by = "seccomp"}; }
// Hidden by whatever hides files. After loading, tier D opens nothing; while loading it hides nothing.
constexpr Expectation hidden(std::string_view act, std::string_view not_covered = "") {
  return {.act = act, .stopped_by = "files", .not_covered = not_covered, .control = Control::anybody};
}
// Closed to others of its user in any case, as daemon and workers are; hidden as well where there is a layer
// for it.
constexpr Expectation closed(std::string_view act) {
  return {.act = act, .stopped_by = "files|kernel's own rights", .control = Control::anybody};
}
constexpr Expectation ends(std::string_view act, std::string_view stopped_by,
                           std::chrono::milliseconds deadline = kUsual) {
  return {.act = act, .fate = Fate::ends, .stopped_by = stopped_by, .deadline = deadline};
}
constexpr Expectation bounded(std::string_view act, std::string_view stopped_by) {
  return {.act = act, .fate = Fate::either, .stopped_by = stopped_by};
}

// A slow machine needs all of a call's processor time for less memory than it may have. That the limit itself
// holds, supervisor_memory_test of host/runtime tells.
constexpr std::string_view kBomb = "resource limit|watchdog";

constexpr auto kExpectations = std::to_array<Expectation>({
    // files
    hidden("read_etc_passwd"),
    hidden("read_private_file"),
    hidden("read_parent_environ"),
    hidden("read_parent_memory"),
    hidden("read_neighbour_memory"),
    hidden("read_victim_memory"),
    hidden("stat_private_path", "BD"),
    hidden("list_folder"),
    filtered("open_for_write"),
    filtered("create_file"),
    filtered("truncate_file"),
    filtered("unlink_file"),
    filtered("rename_file"),
    filtered("make_directory"),
    {.act = "mount_tmpfs", .stopped_by = "seccomp", .control = Control::root},
    filteredOnly("change_root"),
    // network
    filtered("connect_tcp"),
    filtered("connect_unix"),
    filtered("connect_abstract"),
    filteredOnly("connect_ipc"),
    filtered("socket_any"),
    filteredOnly("flood_descriptors"),
    // processes
    filtered("fork_child"),
    filteredOnly("vfork_child"),
    filtered("clone_child"),
    filtered("clone3_child"),
    filtered("exec_shell"),
    filtered("system_shell"),
    filtered("start_thread"),
    filtered("kill_victim"),
    filteredOnly("kill_parent"),
    filteredOnly("kill_everyone"),
    filtered("tgkill_victim"),
    filtered("pidfd_signal"),
    filtered("ptrace_victim"),
    filteredOnly("ptrace_parent"),
    filtered("process_vm_readv"),
    filtered("process_vm_writev"),
    filteredOnly("stop_self"),
    // the kernel's larger doors
    filtered("io_uring_read"),
    {.act = "bpf_map", .stopped_by = "seccomp", .control = Control::root},
    filtered("user_fault"),
    filtered("memory_file"),
    filtered("shared_segment"),
    filtered("unshare_user"),
    filteredOnly("become_root"),
    filtered("set_limit"),
    filteredOnly("new_filter"),
    {.act = "x32_call", .fate = Fate::ends, .stopped_by = "seccomp"},
    {.act = "int80_call", .fate = Fate::ends, .stopped_by = "seccomp"},
    // code
    filtered("map_executable"),
    filtered("make_executable"),
    filtered("late_dlopen"),
    filtered("fake_seal"),
    filtered("replace_seal"),
    // memory and stacks
    bounded("memory_bomb_private", kBomb),
    bounded("memory_bomb_shared", kBomb),
    bounded("memory_bomb_heap", kBomb),
    bounded("mapping_bomb", kBomb),
    {.act = "open_many_files", .stopped_by = "resource limit|seccomp"},
    ends("recurse", "guard page"),
    bounded("alloca_past_guard", "guard page|own process"),
    // time
    ends("spin", "watchdog"),
    ends("stop_watchdog", "call deadline", kSoon),
    ends("deadlock", "call deadline", kSoon),
    ends("sleep_for_ever", "call deadline", kSoon),
    {.act = "poll_for_ever", .fate = Fate::ends, .stopped_by = "stall watch", .tiers = "A"},
    ends("steal_messages", "call deadline", kSoon),
    // ends
    ends("abort_process", "own process"),
    ends("crash", "own process"),
    ends("exit_at_once", "own process"),
    ends("exit_orderly", "own process"),
    ends("throw_across", "own process"),
    ends("violate_noexcept", "own process"),
    // messages
    ends("close_ipc", "connection watch"),
    ends("write_garbage", "length check|message check"),
    ends("forge_call_id", "call id check"),
    ends("answer_another", "call id check"),
    ends("flood_records", "window check"),
    ends("flood_logs", "watchdog|stall watch|call deadline|flood check", 3s),
    ends("hoard_requests", "request check"),
    ends("flood_output", "watchdog|stall watch|call deadline", 3s),
    ends("claim_4_gib", "length check"),
    ends("truncated_frame", "own process"),
    ends("forge_hello", "handshake check"),
    ends("forge_sandbox", "handshake check"),
    // the host's table
    {.act = "dead_call_handle", .stopped_by = "argument check", .calls = 2, .together = true},
    filteredOnly("handle_from_thread"),
    {.act = "after_arena", .fate = Fate::either, .stopped_by = "own process", .calls = 2},
    {.act = "response_too_small", .stopped_by = "argument check"},
    {.act = "lie_about_length", .stopped_by = "argument check"},
    ends("write_past_descriptor", "own process"),

    // from the entry: after loading, before the first call
    filtered("map_executable_in_entry"),
    filtered("make_executable_in_entry"),
    filtered("late_dlopen_in_entry"),

    // from a static initialiser
    hidden("read_etc_passwd_at_start", "D"),
    hidden("read_private_file_at_start", "D"),
    closed("read_parent_environ_at_start"),
    closed("read_parent_memory_at_start"),
    closed("read_neighbour_memory_at_start"),
    hidden("read_victim_memory_at_start", "D"),
    hidden("stat_private_path_at_start", "BD"),
    hidden("list_folder_at_start", "D"),
    filtered("open_for_write_at_start"),
    filtered("create_file_at_start"),
    filtered("unlink_file_at_start"),
    filtered("make_directory_at_start"),
    {.act = "mount_tmpfs_at_start", .stopped_by = "seccomp", .control = Control::root},
    filteredOnly("change_root_at_start"),
    filtered("connect_tcp_at_start"),
    filteredOnly("connect_ipc_at_start"),
    filtered("connect_unix_at_start"),
    filtered("connect_abstract_at_start"),
    filtered("socket_any_at_start"),
    filteredOnly("flood_descriptors_at_start"),
    filtered("fork_child_at_start"),
    filtered("clone_child_at_start"),
    filtered("clone3_child_at_start"),
    filtered("exec_shell_at_start"),
    filtered("start_thread_at_start"),
    filteredOnly("kill_parent_at_start"),
    filteredOnly("kill_everyone_at_start"),
    filtered("kill_victim_at_start"),
    filtered("tgkill_victim_at_start"),
    filtered("pidfd_signal_at_start"),
    filtered("ptrace_victim_at_start"),
    filtered("process_vm_readv_at_start"),
    filtered("process_vm_writev_at_start"),
    filteredOnly("ptrace_parent_at_start"),
    filteredOnly("stop_self_at_start"),
    filtered("io_uring_read_at_start"),
    {.act = "bpf_map_at_start", .stopped_by = "seccomp", .control = Control::root},
    filtered("user_fault_at_start"),
    filtered("memory_file_at_start"),
    filtered("unshare_user_at_start"),
    filtered("shared_segment_at_start"),
    filteredOnly("new_filter_at_start"),
    ends("x32_call_at_start", "seccomp"),
    ends("int80_call_at_start", "seccomp"),
    bounded("memory_bomb_private_at_start", kBomb),
    bounded("memory_bomb_shared_at_start", kBomb),
    bounded("memory_bomb_heap_at_start", kBomb),
    bounded("mapping_bomb_at_start", kBomb),
    ends("recurse_at_start", "own process"),
    ends("spin_at_start", "watchdog|handshake deadline"), // 1 s of processor time, or 2 s of a busy machine
    ends("sleep_for_ever_at_start", "handshake deadline"),
    ends("abort_process_at_start", "own process"),
    ends("exit_at_once_at_start", "own process"),
    ends("exit_orderly_at_start", "own process"),
    ends("close_ipc_at_start", "connection watch"),
    ends("write_garbage_at_start", "length check|message check"),
    ends("forge_hello_at_start", "handshake check"),
    ends("forge_sandbox_at_start", "handshake check"),
    ends("forge_call_id_at_start", "call id check"),
    ends("flood_logs_at_start", "watchdog|handshake deadline|flood check"),
    ends("claim_4_gib_at_start", "length check"),
    ends("truncated_frame_at_start", "own process"),
    filtered("truncate_file_at_start"),
    filtered("rename_file_at_start"),
    filteredOnly("vfork_child_at_start"),
    filtered("system_shell_at_start"),
    filteredOnly("become_root_at_start"),
    filtered("set_limit_at_start"),
    ends("crash_at_start", "own process"),
    ends("throw_across_at_start", "loader"),
    ends("deadlock_at_start", "handshake deadline"),
});

std::string_view hidingLayer(char tier) {
  if (tier == 'B') return "Landlock";
  return tier == 'D' ? "seccomp" : "private root";
}

} // namespace

std::span<Expectation const> expectations() { return kExpectations; }

Expectation const* expectationOf(std::string_view act) {
  auto const found = std::ranges::find(kExpectations, act, &Expectation::act);
  return found == kExpectations.end() ? nullptr : &*found;
}

bool isAtStart(std::string_view act) { return act.ends_with("_at_start") || act.ends_with("_in_entry"); }

bool mayStop(Expectation const& expectation, char tier, std::string_view layer) {
  auto rest = expectation.stopped_by;
  while (!rest.empty()) {
    auto const end = rest.find('|');
    auto const word = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (layer == (word == "files" ? hidingLayer(tier) : word)) return true;
  }
  return false;
}

} // namespace garland::hostile
