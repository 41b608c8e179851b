#pragma once

/// Send streams made of parts, as somebody makes them who wants to pass a false one off as true.

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/must.h"
#include "tests/support/sim_zfs.h"

namespace relab::falsify {

/// One snapshot in a package.
struct Part {
  std::string name;
  std::uint64_t guid = 0;
  std::uint64_t from = 0;
  std::uint64_t features = SendStreamBuilder::raw;
  std::uint64_t payload = 4096;
};

class Parts {
 public:
  /// As the pool sends them.
  explicit Parts(const agent::SimZfs& pool) {
    const auto nodes = pool.nodes();
    for (const auto& dataset : nodes) {
      std::uint64_t from = 0;
      for (const auto& node : nodes) {
        if (!node.is_snapshot() || node.dataset() != dataset.name) continue;
        parts_.push_back({.name = node.name, .guid = node.guid, .from = from});
        from = node.guid;
      }
    }
  }

  Part& at(const std::string& name) {
    const auto found = std::ranges::find(parts_, name, &Part::name);
    REQUIRE(found != parts_.end());
    return *found;
  }
  Parts& without(const std::string& name) {
    at(name);
    std::erase_if(parts_, [&](const Part& part) { return part.name == name; });
    return *this;
  }
  Parts& swap(const std::string& one, const std::string& other) {
    std::swap(at(one), at(other));
    return *this;
  }
  Parts& only_last_of_each() {
    std::erase_if(parts_, [](const Part& part) { return part.from == 0; });
    return *this;
  }
  Parts& add(Part part) {
    parts_.push_back(std::move(part));
    return *this;
  }

  /// The whole package, with checksums that are right.
  std::string stream() const {
    SendStreamBuilder builder;
    builder.package("datapool@pre", 1028);
    for (const auto& part : parts_) write(builder, part);
    return builder.end_package().bytes();
  }
  /// The first alone, without a package around it.
  std::string first_alone() const {
    SendStreamBuilder builder;
    write(builder, parts_.at(0));
    return builder.bytes();
  }

 private:
  static void write(SendStreamBuilder& builder, const Part& part) {
    builder.begin({.to_name = part.name,
                   .to_guid = part.guid,
                   .from_guid = part.from,
                   .features = part.features});
    builder.write(part.payload).end();
  }

  std::vector<Part> parts_;
};

inline std::string flipped(std::string text, std::size_t at) {
  text.at(at) = static_cast<char>(text.at(at) ^ 16);
  return text;
}

}  // namespace relab::falsify
