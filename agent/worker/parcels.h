#pragma once

/// Files that the controller sends, kept by their digests: what is there already is not sent
/// again, and what broke off goes on where it stopped.

#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>

#include "agent/host/delivery.h"

namespace relab::agent {

class Parcels final : public Courier {
 public:
  /// Asks the controller, and waits a moment for its answer; nothing if none came.
  using Ask = std::function<std::optional<Piece>(const Want& want)>;

  /// The folder is made when it is needed first.
  Parcels(std::filesystem::path folder, std::stop_token stop, Ask ask)
      : folder_(std::move(folder)), stop_(std::move(stop)), ask_(std::move(ask)) {}

  Result<std::filesystem::path> fetch(const Parcel& parcel) override;

 private:
  /// What nobody used for a month goes.
  void drop_old() const;
  Result<void> complete(const Parcel& parcel, const std::filesystem::path& part, int fd);

  std::filesystem::path folder_;
  std::stop_token stop_;
  Ask ask_;
};

}  // namespace relab::agent
