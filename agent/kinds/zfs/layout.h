#pragma once

/// The table below "config:" in what `zpool status` and `zpool import` print for people.

#include <string_view>
#include <vector>

#include "agent/kinds/zfs/status.h"

namespace relab::agent::zfs {

/// Reads the layout line by line. With the heading "NAME STATE READ WRITE CKSUM" every vdev has
/// counters; without it (`zpool import`) it has none.
class Layout {
 public:
  /// One line of the table, its tab included. Fault::damaged if it is not understood.
  Result<void> add(std::string_view line);
  /// Fault::damaged if there was no vdev at all.
  Result<std::vector<Vdev>> finish() &&;

 private:
  struct Fields {
    std::string_view name;
    std::string_view rest;
  };
  Result<Fields> fields_of(std::string_view text, std::size_t indent) const;
  Result<void> add_vdev(std::string_view text, std::size_t indent);

  std::vector<Vdev> vdevs_;
  /// Where the state stands in every line, if there was a heading.
  std::size_t state_at_ = 0;
  std::string_view role_ = "data";
};

}  // namespace relab::agent::zfs
