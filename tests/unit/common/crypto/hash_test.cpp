// Digests against values that another implementation of BLAKE2b computed.

#include "common/crypto/hash.h"

#include "tests/support/must.h"

namespace relab::crypto {

namespace {

Bytes counted(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i);
  return bytes;
}

}  // namespace

TEST_CASE("hash: each purpose has its own digests", "[common][crypto]") {
  const auto row = GENERATE(table<Purpose, std::string>({
      {Purpose::content, "c25fdd935e666c0b1e97c7ec44d3f2b6886936539452bbbcf11390fc4fc2a726"},
      {Purpose::ledger, "26a6d0d4b5d608693a4b84e5eac7675b5a51cc79b33a143a8e160dd7f1676826"},
      {Purpose::enrol_key, "a7e9b4571f0a44dd64f88e70a78dc3a5da9de16e59e1004c76a0fe7ecdf438f2"},
      {Purpose::enrol_proof, "f292c3d4b2f2d57b53766e8350b4bed54d98677962b7a68e60f004230c85c0b3"},
  }));

  CHECK(hex(digest(bytes_of("abc"), std::get<0>(row))) == std::get<1>(row));
}

TEST_CASE("hash: nothing has a digest too", "[common][crypto]") {
  CHECK(hex(digest({})) == "a4394ca2d54716fe4aaff2549bee4103407159368fe496e0571957c04d4c5938");
}

TEST_CASE("hash: parts cannot be divided in another way", "[common][crypto]") {
  CHECK(hex(digest_of({bytes_of("ab"), bytes_of("c")}, Purpose::ledger)) ==
        "70875785c71aada1cc87beca18da4f2c99ec1cb87f08743b2e5b5788c4c16ac4");
  CHECK(hex(digest_of({bytes_of("a"), bytes_of("bc")}, Purpose::ledger)) ==
        "c8cac204c0de3e4022ba708e852ddad477e1431bc0f58bff424441029b38cbac");
}

TEST_CASE("hash: a keyed digest depends on the key", "[common][crypto]") {
  const auto with = [](ByteView key) {
    return hex(keyed_digest(key, {bytes_of("ab"), bytes_of("c")}, Purpose::enrol_proof));
  };

  CHECK(with(counted(16)) == "56a0012120c5d29132c3873ebba56bb2902a0922081f24fd1a7e078a0fd13e8c");
  CHECK(with(Bytes(16, 0)) != with(counted(16)));
}

TEST_CASE("hash: equal means the same bytes and the same number of them", "[common][crypto]") {
  CHECK(equal({}, {}));
  CHECK(equal(bytes_of("abc"), bytes_of("abc")));
  CHECK_FALSE(equal(bytes_of("abc"), bytes_of("abd")));
  CHECK_FALSE(equal(bytes_of("abc"), bytes_of("ab")));
  CHECK_FALSE(equal(bytes_of("abc"), {}));
}

}  // namespace relab::crypto
