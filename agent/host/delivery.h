#pragma once

/// What a controller sends along with an order, to be handed on to a guest.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace relab::agent {

/// A file of the controller's; what it holds comes piece by piece, once it is asked for.
struct Parcel {
  /// "relab-agent_0.5.0_amd64.deb", or, for the guests of one release only, below a folder with
  /// its code name: "bookworm/libzmq5_4.3.4-6_amd64.deb".
  std::string name;
  /// As sha256sum prints it.
  std::string sha256;
  /// Bytes.
  std::uint64_t size = 0;

  bool operator==(const Parcel&) const = default;
};

struct Delivery {
  std::string lab;
  /// Whom the guest's agent is to obey: an Envelope around the controller's Identity.
  Bytes controller;
  /// The signing key of the agent that the controller knows by the guest's name; empty: none.
  Bytes expected = {};
  std::vector<Parcel> parcels = {};
};

/// A part of a file that is wanted.
struct Want {
  std::string sha256;
  std::uint64_t offset = 0;

  bool operator==(const Want&) const = default;
};

/// A part of a file as it came.
struct Piece {
  Want of;
  Bytes bytes;
  /// Why the controller cannot send it; empty: it can.
  std::string missing = {};
};

/// Who brings the files.
class Courier {
 public:
  Courier() = default;
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;
  virtual ~Courier() = default;

  /// As `Host::fetch`.
  virtual Result<std::filesystem::path> fetch(const Parcel& parcel) = 0;
};

}  // namespace relab::agent
