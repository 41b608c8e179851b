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

}  // namespace

Result<fs::path> Requests::post(const CancelTarget& target) const {
  const auto id = std::visit([](const auto& known) { return known.text(); }, target);
  auto path = folder_ / (std::string(prefix) + id);
  RELAB_CHECK(replace_file(path, text_of(target) + "\n").during("leaving a request"));
  return path;
}

Result<Taken> Requests::take() const {
  Taken taken;
  std::error_code error;
  std::vector<fs::path> files;
  for (fs::directory_iterator entry(folder_, error), end; !error && entry != end;
       entry.increment(error))
    if (is_request(entry->path())) files.push_back(entry->path());
  if (error)
    return fail(Fault::damaged,
                fmt::format("{} cannot be listed: {}", folder_.string(), error.message()));
  for (const auto& file : files) {
    const auto text = read_small_file(file, size_max);
    const auto target = text ? parse(*text) : Result<CancelTarget>(fail(text.error()));
    if (target)
      taken.targets.push_back(*target);
    else
      taken.problems.push_back(fmt::format("{}: {}", file.string(), target.error().what));
    // One that cannot be removed would be taken for ever.
    if (!fs::remove(file, error) || error)
      return fail(Fault::damaged, fmt::format("{} cannot be removed", file.string()));
  }
  return taken;
}

}  // namespace relab::controller
