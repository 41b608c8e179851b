#include "agent/kinds/zfs/compare.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/support/fill.h"
#include "agent/kinds/support/gaps.h"
#include "agent/kinds/support/same_files.h"
#include "agent/kinds/zfs/volume_contents.h"
#include "common/base/text.h"

namespace relab::agent::zfs {

namespace {

constexpr auto mounts = "/run/relab-drill";

Result<Compared> compare_mounted(Host& host, Compared compared, const Path& was, const Path& is,
                                 std::size_t sample) {
  const auto seed = static_cast<std::uint64_t>(host.now().time_since_epoch().count());
  RELAB_TRY(const auto same, compare_files(host, was, is, sample, seed));
  compared.entries = same.entries;
  compared.config_files = same.config_files;
  compared.sampled = same.sampled;
  compared.bytes = same.bytes;
  return compared;
}

/// Of a dataset of the copy the snapshot with the name that it has in the living pool.
std::string snapshot_like(const std::string& was, const std::string& is) {
  return is.find('@') == std::string::npos ? is + was.substr(was.find('@')) : is;
}

/// How many bytes are the same.
Result<std::uint64_t> compare_volumes(Host& host, const std::string& was, const std::string& is) {
  RELAB_TRY(const auto origin, read_volume(host, was));
  RELAB_TRY(const auto copy, read_volume(host, is));
  if (origin == copy) return origin.bytes;
  return fail(Fault::damaged,
              fmt::format("{} has not the content of {}: {} and {} bytes, digest "
                          "{} and {}",
                          is, was, copy.bytes, origin.bytes, hex(copy.digest), hex(origin.digest)));
}

}  // namespace

void write_compared(const std::vector<Compared>& all,
                    schema::ZfsBackupVerify::Drill::Builder drill) {
  drill.setDone(true);
  fill(drill.initDatasets(size_of(all)), all, [](auto row, const Compared& compared) {
    row.setDataset(compared.dataset);
    row.setWhyNot(compared.why_not);
    row.setEntries(compared.entries);
    row.setConfigFiles(compared.config_files);
    row.setSampled(compared.sampled);
    row.setBytes(compared.bytes);
  });
}

Result<std::string> Comparison::mount(const std::string& name) {
  auto point = fmt::format("{}/{}-{}", mounts, mark_, ++mounted_);
  const bool is_snapshot = name.find('@') != std::string::npos;
  const auto options = fmt::format("ro,nosuid,nodev,noexec{}", is_snapshot ? "" : ",zfsutil");
  // What is mounted in there is for nobody else, whatever its own rights.
  RELAB_CHECK(must_run(host_, {.argv = {"mkdir", "-p", "-m", "700", mounts, point}}));
  RELAB_CHECK(must_run(host_, {.argv = {"mount", "-t", "zfs", "-o", options, name, point}}));
  return point;
}

Result<Compared> Comparison::compare(const Member& living, const std::string& was,
                                     const std::string& is) {
  Compared compared{.dataset = living.name};
  if (living.encrypted() && !living.key_loaded)
    compared.why_not = "its key is not loaded in the living pool: there is nothing to compare with";
  if (!compared.why_not.empty()) return compared;
  const auto step = "comparing " + living.name;
  if (living.is_volume) {
    const auto same = compare_volumes(host_, was, snapshot_like(was, is)).during(step);
    if (!same) return fail(same.error());
    compared.bytes = *same;
    return compared;
  }
  RELAB_TRY(const auto origin, mount(was).during(step));
  RELAB_TRY(const auto copy, mount(is).during(step));
  return compare_mounted(host_, std::move(compared), origin, copy, sample_).during(step);
}

Result<void> unmount_compared(Host& host, std::string_view mark) {
  RELAB_TRY(const auto text, host.read_file("/proc/self/mountinfo"));
  std::vector<std::string> points;
  for (const auto line : lines(text)) {
    const auto words = split(line, ' ');
    if (words.size() > 4 && words[4].starts_with(fmt::format("{}/{}-", mounts, mark)))
      points.emplace_back(words[4]);
  }
  // The last ones first: they may lie on others.
  std::ranges::reverse(points);
  for (const auto& point : points) {
    RELAB_CHECK(must_run(host, {.argv = {"umount", point}}));
    RELAB_CHECK(must_run(host, {.argv = {"rmdir", point}}));
  }
  return {};
}

}  // namespace relab::agent::zfs
