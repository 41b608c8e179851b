#include "agent/service/delivery.h"

#include <algorithm>
#include <fmt/format.h>
#include <string_view>

namespace relab::agent {

namespace {

constexpr std::size_t digest_size = 32;
constexpr std::uint64_t size_max = std::uint64_t{4} << 30U;
constexpr unsigned parcels_max = 1000;

bool is_plain(std::string_view text) {
  constexpr std::string_view more = "+._~%:-";
  const auto is_letter = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           more.find(c) != std::string_view::npos;
  };
  return !text.empty() && text[0] != '.' && text[0] != '-' && std::ranges::all_of(text, is_letter);
}

/// In a folder at most.
bool is_name(std::string_view name) {
  const auto slash = name.find('/');
  if (slash == std::string_view::npos) return is_plain(name);
  return is_plain(name.substr(0, slash)) && is_plain(name.substr(slash + 1));
}

Result<Parcel> parcel_of(schema::Parcel::Reader parcel) {
  if (!is_name(view(parcel.getName())) || view(parcel.getSha256()).size() != digest_size ||
      parcel.getSize() == 0 || parcel.getSize() > size_max)
    return fail(Fault::refused, fmt::format("the order promises a file '{}' that cannot be",
                                            str(parcel.getName())));
  return Parcel{.name = str(parcel.getName()),
                .sha256 = hex(view(parcel.getSha256())),
                .size = parcel.getSize()};
}

}  // namespace

Result<std::optional<Delivery>> delivery_of(schema::Order::Reader order, const Trust& trust) {
  const auto given = order.getDelivery();
  const auto statement = view(given.getController());
  if (statement.empty()) return std::optional<Delivery>();
  RELAB_TRY(const auto controller, read_identity(statement, schema::Role::CONTROLLER));
  if (trust.by_sign_key(controller.sign_key) == nullptr)
    return fail(Fault::refused, "a guest is to obey a controller that this agent does not obey");
  if (given.getParcels().size() > parcels_max)
    return fail(Fault::refused, fmt::format("the order promises more than {} files", parcels_max));
  const auto expected = view(given.getExpected());
  Delivery delivery{.lab = str(order.getLab()),
                    .controller = Bytes(statement.begin(), statement.end()),
                    .expected = Bytes(expected.begin(), expected.end())};
  for (const auto parcel : given.getParcels()) {
    RELAB_TRY(auto checked, parcel_of(parcel));
    delivery.parcels.push_back(std::move(checked));
  }
  return std::optional(std::move(delivery));
}

}  // namespace relab::agent
