/// A request is a file "request-UUID" that holds "task UUID" or "run UUID".

#include "controller/run/requests.h"

#include <fmt/format.h>

#include "common/base/file.h"
#include "common/base/text.h"

namespace relab::controller {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = "request-";
constexpr std::size_t uuid_size = 36;
constexpr std::size_t size_max = 100;

/// Not one that is still being written, under a longer name.
bool is_request(const fs::path& path) {
  const auto name = path.filename().string();
  return name.starts_with(prefix) && name.size() == prefix.size() + uuid_size;
}

std::string text_of(const CancelTarget& target) {
  if (const auto* task = std::get_if<TaskId>(&target)) return "task " + task->text();
  return "run " + std::get<RunId>(target).text();
}

Result<CancelTarget> parse(std::string_view text) {
  text = trim(text);
  const auto space = text.find(' ');
  const auto what = text.substr(0, space);
  if (space == std::string_view::npos || (what != "task" && what != "run"))
    return fail(Fault::invalid, "it names neither a task nor a run");
  RELAB_TRY(const auto bytes, parse_uuid(text.substr(space + 1)));
  if (what == "task") return CancelTarget(TaskId{bytes});
  return CancelTarget(RunId{bytes});
}

/// One that cannot be removed would be taken for ever.
Result<void> drop(const fs::path& file) {
  std::error_code error;
  fs::remove(file, error);
  if (!error) return {};
  return fail(Fault::damaged, fmt::format("{} cannot be removed", file.string()));
}

}  // namespace

Result<fs::path> Requests::post(const CancelTarget& target) const {
  const auto id = std::visit([](const auto& known) { return known.text(); }, target);
  auto path = folder_ / (std::string(prefix) + id);
  RELAB_CHECK(replace_file(path, text_of(target) + "\n").during("leaving a request"));
  return path;
}

Result<Waiting> Requests::waiting() const {
  Waiting waiting;
  std::error_code error;
  std::vector<fs::path> files;
  for (fs::directory_iterator entry(folder_, error), end; !error && entry != end;
       entry.increment(error))
    if (is_request(entry->path())) files.push_back(entry->path());
  if (error)
    return fail(Fault::damaged,
                fmt::format("{} cannot be listed: {}", folder_.string(), error.message()));
  for (auto& file : files) {
    const auto text = read_small_file(file, size_max);
    const auto target = text ? parse(*text) : Result<CancelTarget>(fail(text.error()));
    if (target) {
      waiting.requests.push_back({.target = *target, .file = std::move(file)});
      continue;
    }
    waiting.problems.push_back(fmt::format("{}: {}", file.string(), target.error().what));
    RELAB_CHECK(drop(file));
  }
  return waiting;
}

Result<void> Requests::settled(const Waiting::Request& request) { return drop(request.file); }

}  // namespace relab::controller
