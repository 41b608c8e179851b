#include "agent/journal/ways_back.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/file.h"
#include "common/base/time.h"
#include "common/wire/message.h"
#include "schema/journal.capnp.h"

namespace relab::agent {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = "way-back-";
constexpr std::string_view aside = ".damaged-";
constexpr std::size_t size_max = std::size_t{64} << 20U;

bool is_way_back(const fs::path& file) {
  const auto name = file.filename().string();
  return name.starts_with(prefix) && name.find(aside) == std::string::npos;
}

Bytes copy_of(ByteView bytes) { return {bytes.begin(), bytes.end()}; }

Result<JournalRow> read_row(std::string_view kept) {
  RELAB_TRY(const auto message, Message<schema::WayBack>::parse(bytes_of(kept)));
  const auto back = message.reader();
  RELAB_TRY(const auto id, TaskId::from(view(back.getTaskId())));
  JournalRow row{.id = id,
                 .state = TaskState::running,
                 .order = copy_of(view(back.getOrder())),
                 .before = copy_of(view(back.getBefore())),
                 .boot = str(back.getBoot())};
  const auto task = view(back.getTaskDigest());
  const auto order = view(back.getOrderDigest());
  if (task.size() != row.task_digest.size() || order.size() != row.order_digest.size())
    return fail(Fault::damaged, "it has no digests");
  std::ranges::copy(task, row.task_digest.begin());
  std::ranges::copy(order, row.order_digest.begin());
  return row;
}

}  // namespace

void put_aside(const fs::path& file) {
  std::error_code error;
  fs::rename(file, fmt::format("{}{}{}", file.string(), aside, unix_millis(wall_clock())), error);
}

fs::path WaysBack::file(const TaskId& id) const {
  return folder_ / fmt::format("{}{}", prefix, id.text());
}

Result<void> WaysBack::keep(const JournalRow& row) const {
  Draft<schema::WayBack> draft;
  draft->setTaskId(blob(row.id.bytes));
  draft->setTaskDigest(blob(row.task_digest));
  draft->setOrderDigest(blob(row.order_digest));
  draft->setOrder(blob(row.order));
  draft->setBefore(blob(row.before));
  draft->setBoot(row.boot);
  return replace_file(file(row.id), text_of(std::move(draft).finish().bytes()));
}

void WaysBack::forget(const TaskId& id) const {
  std::error_code error;
  if (!fs::exists(file(id), error)) return;
  // Emptied first, which is on the disk then: one that came back would undo what was kept.
  static_cast<void>(replace_file(file(id), {}).has_value());
  fs::remove(file(id), error);
}

Result<std::vector<JournalRow>> WaysBack::all() const {
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error))
    if (entry.is_regular_file(error) && is_way_back(entry.path())) files.push_back(entry.path());
  if (error) return fail(Fault::damaged, error.message());
  std::vector<JournalRow> rows;
  for (const auto& path : files) {
    RELAB_TRY(const auto kept, read_small_file(path, size_max).during(path.filename().string()));
    auto row = read_row(kept);
    if (row)
      rows.push_back(std::move(*row));
    else if (kept.empty())
      fs::remove(path, error);
    else
      put_aside(path);
  }
  return rows;
}

}  // namespace relab::agent
