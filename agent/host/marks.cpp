#include "agent/host/marks.h"

#include <atomic>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <unistd.h>

#include "common/base/number.h"

namespace relab::agent {

namespace {

bool has_mark(const std::filesystem::path& process, const std::string& mark) {
  std::ifstream file(process / "environ", std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const auto at = text.find(mark);
  return at != std::string::npos &&
         (at + mark.size() == text.size() || text[at + mark.size()] == '\0');
}

}  // namespace

std::string next_mark() {
  static std::atomic<unsigned> count = 0;
  return fmt::format("RELAB_COMMAND={}.{}", ::getpid(), ++count);
}

std::vector<pid_t> marked_processes(const std::string& mark) {
  std::vector<pid_t> found;
  std::error_code error;
  for (std::filesystem::directory_iterator entry("/proc", error), end; !error && entry != end;
       entry.increment(error)) {
    const auto pid = parse_number<pid_t>(entry->path().filename().string());
    if (pid && has_mark(entry->path(), mark)) found.push_back(*pid);
  }
  return found;
}

}  // namespace relab::agent
