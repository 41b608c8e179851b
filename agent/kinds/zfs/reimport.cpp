#include "agent/kinds/zfs/reimport.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/support/gaps.h"
#include "agent/kinds/zfs/ask.h"
#include "agent/kinds/zfs/readers.h"
#include "common/base/text.h"

namespace relab::agent::zfs {

namespace {

/// A disk that writes its last data, or wakes up.
constexpr auto time_max = std::chrono::minutes(15);
/// Whatever looked at a device of the pool last may hold it for a moment.
constexpr int tries_max = 10;
constexpr auto try_again = Millis(1000);

/// The file systems of a pool that are mounted at their places, those above first.
Result<std::vector<std::string>> read_mounted(Host& host, const std::string& pool) {
  RELAB_TRY(const auto text,
            output_of(host, {.argv = {"zfs", "list", "-Hp", "-r", "-t", "filesystem", "-o",
                                      "name,mounted,encryptionroot,keystatus", pool}}));
  std::vector<std::string> mounted;
  for (const auto line : lines(text)) {
    const auto row = split(line, '\t');
    if (row.size() != 4) return fail(Fault::damaged, fmt::format("zfs list printed '{}'", line));
    if (row[2] != "-" && row[3] == "available")
      return refuse(
          fmt::format("the key of {} is loaded, and exporting its pool would unload it", row[0]),
          fmt::format("if nobody uses it: zfs unmount {0}; zfs unload-key {0}", row[2]));
    if (row[1] == "yes") mounted.emplace_back(row[0]);
  }
  return mounted;
}

Result<bool> is_imported(Host& host, const TargetPool& pool) {
  RELAB_TRY(const auto pools, read_pools(host));
  return std::ranges::find(pools, pool.guid, &Imported::guid) != pools.end();
}

Result<void> export_pool(Host& host, const TargetPool& pool) {
  for (int tries = 1;; ++tries) {
    const auto exported =
        must_run(host, {.argv = {"zpool", "export", pool.name}, .timeout = time_max});
    if (exported || exported.error().fault != Fault::damaged || tries == tries_max ||
        exported.error().what.find("busy") == std::string::npos)
      return exported;
    RELAB_CHECK(host.pause(try_again, {.what = "waiting until the pool can be exported"}));
  }
}

/// Nothing of it is mounted.
Result<void> import_pool(Host& host, const TargetPool& pool) {
  RELAB_ASSERT(pool.guid != 0);
  RELAB_TRY(const bool there, is_imported(host, pool));
  if (there) return {};
  Command command{.argv = {"zpool", "import", "-N"}, .timeout = time_max};
  if (!pool.altroot.empty())
    command.argv.insert(command.argv.end(), {"-o", "altroot=" + pool.altroot});
  if (!pool.cachefile.empty())
    command.argv.insert(command.argv.end(), {"-o", "cachefile=" + pool.cachefile});
  for (const auto& path : pool.paths)
    if (path.starts_with('/')) command.argv.insert(command.argv.end(), {"-d", path});
  command.argv.push_back(std::to_string(pool.guid));
  return must_run(host, command);
}

/// As it was before, whatever of it is so still.
Result<void> restore(Host& host, const TargetPool& pool, const std::vector<std::string>& mounted) {
  RELAB_CHECK(import_pool(host, pool));
  RELAB_TRY(const auto now, read_mounted(host, pool.name));
  for (const auto& name : mounted)
    if (std::ranges::find(now, name) == now.end())
      RELAB_CHECK(must_run(host, {.argv = {"zfs", "mount", name}}));
  return {};
}

Result<void> out_and_in(Host& host, const TargetPool& pool,
                        const std::vector<std::string>& mounted) {
  RELAB_CHECK(export_pool(host, pool).during("exporting the pool"));
  RELAB_TRY(const bool there, is_imported(host, pool));
  if (there)
    return fail(Fault::damaged, fmt::format("'{}' was exported, and is imported", pool.name),
                "see what imports pools here by itself");
  RELAB_CHECK(restore(host, pool, mounted).during("importing the pool again"));
  RELAB_TRY(const auto guid, guid_of_pool(host, pool.name));
  if (guid == pool.guid) return {};
  return fail(Fault::conflict, fmt::format("'{}' is another pool now", pool.name));
}

}  // namespace

Result<void> reimport(const Hands& hands, const TargetPool& pool) {
  RELAB_TRY(const auto mounted, read_mounted(hands.host, pool.name));
  auto done = out_and_in(hands.host, pool, mounted);
  if (done) return done;
  const auto back = restore(hands.rescue, pool, mounted);
  if (back) return done;
  auto error = std::move(done).error();
  error.what += fmt::format("; and '{}' could not be brought back as it was: {}", pool.name,
                            back.error().what);
  error.hint = fmt::format(
      "look whether it is imported (zpool list), or import it: zpool import -N {}", pool.guid);
  return fail(std::move(error));
}

}  // namespace relab::agent::zfs
