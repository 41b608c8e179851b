#include "agent/kinds/zfs/ask.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

#include "agent/kinds/support/gaps.h"
#include "agent/kinds/zfs/readers.h"
#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::zfs {

bool is_dataset(std::string_view name) {
  const auto is_letter = [](char letter) {
    return std::isalnum(static_cast<unsigned char>(letter)) != 0 ||
           std::string_view("_.: -/").find(letter) != std::string_view::npos;
  };
  return !name.empty() && std::isalnum(static_cast<unsigned char>(name.front())) != 0 &&
         std::ranges::all_of(name, is_letter);
}

std::string pool_of(std::string_view name) {
  return std::string(name.substr(0, name.find_first_of("/@")));
}

Result<Versions> read_versions(Host& host) {
  RELAB_TRY(const auto output, host.run({.argv = {"zfs", "version"}}));
  if (output.truncated)
    return fail(Fault::damaged, "zfs version printed more than is ever read of it");
  auto versions = parse_versions(output.out);
  if (versions.module.empty())
    return fail(Fault::unsupported,
                "zfs does not tell the version of its kernel module: it is not loaded, and no "
                "dataset can be seen",
                "load it with 'modprobe zfs' and import the pool, then run it again");
  return versions;
}

Result<std::uint64_t> guid_of_pool(Host& host, const std::string& pool) {
  RELAB_TRY(const auto pools, read_pools(host));
  const auto found = std::ranges::find(pools, pool, &Imported::name);
  if (found != pools.end()) return found->guid;
  return fail(Fault::damaged, fmt::format("zpool list does not know the pool '{}'", pool));
}

Result<std::vector<Node>> parse_tree(std::string_view text) {
  constexpr std::size_t columns = 6;
  std::vector<Node> nodes;
  for (const auto line : lines(text)) {
    const auto row = split(line, '\t');
    if (row.size() != columns || row[0].empty() || row[4].empty())
      return fail(Fault::damaged, fmt::format("zfs list printed a line with {} columns instead of "
                                              "{}",
                                              row.size(), columns));
    RELAB_TRY(const auto guid, parse_number<std::uint64_t>(row[1]).during("reading a GUID"));
    RELAB_TRY(const auto txg, parse_number<std::uint64_t>(row[2]).during("reading createtxg"));
    RELAB_TRY(const auto created, parse_number<std::uint64_t>(row[3]).during("reading creation"));
    nodes.push_back({.name = std::string(row[0]),
                     .guid = guid,
                     .create_txg = txg,
                     .created = created,
                     .encrypted = row[4] != "off" && row[4] != "-",
                     .scratch = row[5] == "yes"});
  }
  if (!text.empty() && !text.ends_with('\n'))
    return fail(Fault::damaged, "the output of zfs list ends within a line");
  return nodes;
}

Result<std::vector<Node>> read_tree(Host& host, const std::string& dataset) {
  RELAB_TRY(
      const auto output,
      host.run(
          {.argv = {"zfs", "list", "-Hp", "-r", "-t", "filesystem,volume,snapshot", "-o",
                    fmt::format("name,guid,createtxg,creation,encryption,{}", drill_mark), dataset},
           .output_max = std::size_t{64} << 20U}));
  if (output.status != 0 && output.err.find("does not exist") != std::string::npos)
    return fail(Fault::missing,
                fmt::format("there is no dataset '{}': {}", dataset, first_words(output)),
                "is its pool imported?");
  if (output.status != 0 || output.truncated)
    return fail(Fault::damaged,
                fmt::format("what is in '{}' cannot be read: zfs list ended with {}: {}", dataset,
                            output.status, first_words(output)));
  RELAB_TRY(auto nodes, parse_tree(output.out));
  if (std::ranges::find(nodes, dataset, &Node::name) == nodes.end())
    return fail(Fault::damaged, fmt::format("zfs list told nothing of '{}' itself", dataset));
  return nodes;
}

}  // namespace relab::agent::zfs
