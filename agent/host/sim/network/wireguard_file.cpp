#include "agent/host/sim/network/wireguard_file.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>
#include <sodium.h>
#include <utility>

#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::sim {

namespace {

using Key = std::array<unsigned char, crypto_scalarmult_curve25519_BYTES>;

tl::unexpected<Error> parsing_error(std::string_view words) {
  return fail(Fault::invalid, fmt::format("{}\nConfiguration parsing error", words));
}

std::string small(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char letter) {
    return static_cast<char>(std::tolower(letter));
  });
  return lower;
}

/// The key itself stays out of the error.
Result<Key> key_of(std::string_view text) {
  Key key{};
  std::size_t size = 0;
  if (sodium_base642bin(key.data(), key.size(), text.data(), text.size(), nullptr, &size, nullptr,
                        sodium_base64_VARIANT_ORIGINAL) != 0 ||
      size != key.size())
    return parsing_error("Key is not the correct length or format");
  return key;
}

Result<std::string> public_key_of(std::string_view private_key) {
  RELAB_TRY(const auto secret, key_of(private_key));
  Key shown{};
  crypto_scalarmult_curve25519_base(shown.data(), secret.data());
  std::array<char, sodium_base64_ENCODED_LEN(sizeof(Key), sodium_base64_VARIANT_ORIGINAL)> text{};
  sodium_bin2base64(text.data(), text.size(), shown.data(), shown.size(),
                    sodium_base64_VARIANT_ORIGINAL);
  return std::string(text.data());
}

std::string joined(std::string_view list) {
  return fmt::format("{}", fmt::join(comma_words(list), ","));
}

Result<void> take_interface(const std::string& name, std::string_view value, WireguardFile& file) {
  if (name == "privatekey") {
    file.tunnel.private_key = value;
    RELAB_TRY(file.tunnel.public_key, public_key_of(value));
  } else if (name == "listenport") {
    RELAB_TRY(file.tunnel.port, parse_number<std::uint16_t>(value));
  } else if (name == "fwmark") {
    file.tunnel.mark = value == "off" ? "" : std::string(value);
  } else if (name == "address") {
    for (auto& word : comma_words(value)) file.addresses.push_back(std::move(word));
  } else if (name == "dns") {
    // wg-quick takes the interface away again and ends with 127.
    return fail(Fault::unsupported, "/usr/bin/wg-quick: line 32: resolvconf: command not found");
  } else if (name.starts_with("pre") || name.starts_with("post")) {
    return fail(Fault::unsupported, fmt::format("the simulation knows no {} of wg-quick", name));
  } else if (name != "mtu" && name != "table" && name != "saveconfig") {
    return parsing_error(fmt::format("Line unrecognized: `{}'", name));
  }
  return {};
}

Result<void> take_peer(const std::string& name, std::string_view value, WireguardPeer& peer) {
  if (name == "publickey") {
    RELAB_CHECK(key_of(value));
    peer.public_key = value;
  } else if (name == "presharedkey") {
    RELAB_CHECK(key_of(value));
    peer.preshared_key = value;
  } else if (name == "endpoint") {
    peer.endpoint = value;
  } else if (name == "allowedips") {
    if (!peer.allowed_ips.empty()) peer.allowed_ips += ',';
    peer.allowed_ips += joined(value);
  } else if (name == "persistentkeepalive") {
    if (value == "off") return {};
    RELAB_TRY(peer.keepalive, parse_number<std::uint32_t>(value));
  } else {
    return parsing_error(fmt::format("Line unrecognized: `{}'", name));
  }
  return {};
}

}  // namespace

std::vector<std::string> comma_words(std::string_view text) {
  std::vector<std::string> all;
  for (const auto word : split(text, ','))
    if (!trim(word).empty()) all.emplace_back(trim(word));
  return all;
}

Result<WireguardFile> read_wireguard_file(const std::string& interface, std::string_view text) {
  WireguardFile file{.tunnel = {.interface = interface}};
  std::string section;
  for (const auto whole : lines(text)) {
    const auto line = trim(whole.substr(0, whole.find('#')));
    if (line.empty()) continue;
    if (line.starts_with('[')) {
      section = small(line);
      if (section == "[peer]") file.tunnel.peers.push_back({.public_key = {}});
      continue;
    }
    const auto sign = line.find('=');
    if (sign == std::string_view::npos) return parsing_error("Line unrecognized");
    const auto name = small(trim(line.substr(0, sign)));
    const auto value = trim(line.substr(sign + 1));
    if (section == "[interface]")
      RELAB_CHECK(take_interface(name, value, file));
    else if (section == "[peer]")
      RELAB_CHECK(take_peer(name, value, file.tunnel.peers.back()));
    else
      return parsing_error(fmt::format("Line unrecognized: `{}'", name));
  }
  return file;
}

}  // namespace relab::agent::sim
