#include "agent/host/sim/debian/openpgp.h"

#include <algorithm>
#include <array>
#include <bit>
#include <fmt/format.h>
#include <optional>

#include "common/base/text.h"
#include "common/wire/dsse.h"

namespace relab::agent::sim {

namespace {

/// RFC 3174: nothing but fingerprints is made with it here.
class Sha1 {
 public:
  static std::string hex_of(Bytes message) {
    Sha1 sha;
    const auto bits = static_cast<std::uint64_t>(message.size()) * 8;
    message.push_back(0x80);
    while (message.size() % 64 != 56) message.push_back(0);
    for (int shift = 56; shift >= 0; shift -= 8)
      message.push_back(static_cast<std::uint8_t>(bits >> static_cast<unsigned>(shift)));
    for (std::size_t at = 0; at < message.size(); at += 64)
      sha.add(ByteView(message).subspan(at, 64));
    return fmt::format("{:08X}", fmt::join(sha.state_, ""));
  }

 private:
  void add(ByteView block) {
    std::array<std::uint32_t, 80> words{};
    for (std::size_t i = 0; i < 16; ++i)
      for (std::size_t j = 0; j < 4; ++j) words[i] = words[i] << 8U | block[4 * i + j];
    for (std::size_t i = 16; i < words.size(); ++i)
      words[i] = std::rotl(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
    auto [a, b, c, d, e] = state_;
    for (std::size_t i = 0; i < words.size(); ++i) {
      std::uint32_t mixed = b ^ c ^ d;
      if (i < 20) mixed = (b & c) | (~b & d);
      if (i >= 40 && i < 60) mixed = (b & c) | (b & d) | (c & d);
      static constexpr std::array<std::uint32_t, 4> constants = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc,
                                                                 0xca62c1d6};
      const auto next = std::rotl(a, 5) + mixed + e + words[i] + constants[i / 20];
      e = d;
      d = c;
      c = std::rotl(b, 30);
      b = a;
      a = next;
    }
    const std::array<std::uint32_t, 5> added = {a, b, c, d, e};
    for (std::size_t i = 0; i < state_.size(); ++i) state_[i] += added[i];
  }

  std::array<std::uint32_t, 5> state_ = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476,
                                         0xc3d2e1f0};
};

constexpr std::uint8_t tag_secret_key = 5;
constexpr std::uint8_t tag_public_key = 6;
constexpr std::uint8_t tag_secret_subkey = 7;
constexpr std::uint8_t tag_user = 13;
constexpr std::uint8_t tag_public_subkey = 14;

struct Packet {
  std::uint8_t tag = 0;
  ByteView body = {};
};

std::size_t number_of(ByteView bytes) {
  std::size_t number = 0;
  for (const auto byte : bytes) number = number << 8U | byte;
  return number;
}

/// Takes the header of a packet from the front: how long its body is.
std::optional<std::size_t> take_length(ByteView& rest, std::uint8_t first) {
  const auto take = [&](std::size_t size) -> std::optional<std::size_t> {
    if (rest.size() < size) return {};
    const auto number = number_of(rest.first(size));
    rest = rest.subspan(size);
    return number;
  };
  const bool is_new = (first & 0x40U) != 0;
  if (!is_new) {
    const auto type = first & 3U;
    return type == 3 ? std::optional(rest.size()) : take(std::size_t{1} << type);
  }
  const auto one = take(1);
  if (!one || *one < 192) return one;
  if (*one == 255) return take(4);
  const auto two = take(1);
  return two ? std::optional(((*one - 192) << 8U) + *two + 192) : two;
}

std::vector<Packet> packets_of(ByteView bytes) {
  std::vector<Packet> packets;
  while (!bytes.empty()) {
    const auto first = bytes[0];
    if ((first & 0x80U) == 0) return {};
    bytes = bytes.subspan(1);
    const auto length = take_length(bytes, first);
    if (!length || *length > bytes.size()) return {};
    const auto tag = (first & 0x40U) != 0 ? first & 0x3fU : (first & 0x3cU) >> 2U;
    packets.push_back({.tag = static_cast<std::uint8_t>(tag), .body = bytes.first(*length)});
    bytes = bytes.subspan(*length);
  }
  return packets;
}

void add_packet(const Packet& packet, std::vector<OpenPgpKey>& keys) {
  if (packet.tag == tag_user)
    keys.push_back({.fingerprint = {}, .user = std::string(text_of(packet.body))});
  const bool is_sub = packet.tag == tag_public_subkey || packet.tag == tag_secret_subkey;
  const bool is_secret = packet.tag == tag_secret_key || packet.tag == tag_secret_subkey;
  if (!is_sub && !is_secret && packet.tag != tag_public_key) return;
  constexpr std::size_t head = 6;
  if (packet.body.size() < head || packet.body[0] != 4) return;
  Bytes hashed = {0x99, static_cast<std::uint8_t>(packet.body.size() >> 8U),
                  static_cast<std::uint8_t>(packet.body.size())};
  hashed.insert(hashed.end(), packet.body.begin(), packet.body.end());
  keys.push_back({.fingerprint = Sha1::hex_of(std::move(hashed)),
                  .is_sub = is_sub,
                  .is_secret = is_secret,
                  .algorithm = packet.body[5],
                  .created = static_cast<std::uint32_t>(number_of(packet.body.subspan(1, 4)))});
}

}  // namespace

std::vector<OpenPgpKey> read_keys(std::string_view text) {
  std::vector<OpenPgpKey> keys;
  std::string body;
  bool inside = false;
  bool in_head = false;
  for (const auto raw : lines(text)) {
    const auto line = trim(raw);
    if (line.starts_with("-----BEGIN PGP ")) {
      inside = in_head = true;
      body.clear();
    } else if (line.starts_with("-----END PGP ")) {
      inside = false;
      const auto bytes = from_base64(body);
      if (!bytes) return {};
      for (const auto& packet : packets_of(*bytes)) add_packet(packet, keys);
    } else if (inside && in_head) {
      in_head = !line.empty();
    } else if (inside && !line.starts_with('=')) {
      body += line;
    }
  }
  return keys;
}

std::string with_colons(const std::vector<OpenPgpKey>& keys) {
  std::string out;
  for (const auto& key : keys) {
    if (key.fingerprint.empty()) {
      out += fmt::format("uid:-::::::::{}::::::::::0:\n", key.user);
      continue;
    }
    const auto* kind = key.is_sub ? "sub" : "pub";
    if (key.is_secret) kind = key.is_sub ? "ssb" : "sec";
    constexpr std::size_t id_size = 16;
    out += fmt::format("{}:-::{}:{}:{}:::-:::scSC::::::23::0:\nfpr:::::::::{}:\n", kind,
                       key.algorithm, key.fingerprint.substr(key.fingerprint.size() - id_size),
                       key.created, key.fingerprint);
  }
  return out;
}

}  // namespace relab::agent::sim
