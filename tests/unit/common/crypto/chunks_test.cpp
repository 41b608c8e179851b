#include "common/crypto/chunks.h"

#include <catch2/catch.hpp>

namespace relab::crypto {

TEST_CASE("chunks: are what b2sum prints, in pieces of any size", "[common][crypto]") {
  const auto piece = GENERATE(std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{5});
  const std::string_view text = "abcde";
  ChunkDigests digests(3);

  for (std::size_t at = 0; at < text.size(); at += piece)
    digests.add(bytes_of(text.substr(at, piece)));
  digests.finish();

  CHECK(digests.bytes() == 5);
  REQUIRE(digests.chunks().size() == 2);
  // printf abc | b2sum -l 256
  CHECK(hex(digests.chunks()[0]) ==
        "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
  // printf de | b2sum -l 256
  CHECK(hex(digests.chunks()[1]) ==
        "04ad4bd1164f87514780dfd15f5ce557a720be68bf04b1e95824199f8a42c9c0");
  CHECK(digests.whole() == digest_of_chunks(digests.chunks()));
}

TEST_CASE("chunks: nothing has none", "[common][crypto]") {
  ChunkDigests digests;

  digests.finish();

  CHECK(digests.chunks().empty());
  // b2sum -l 256 </dev/null
  CHECK(hex(digests.whole()) == "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
}

TEST_CASE("chunks: a full last chunk is followed by none", "[common][crypto]") {
  ChunkDigests digests(4);

  digests.add(bytes_of("abcdabcd"));
  digests.finish();

  CHECK(digests.chunks().size() == 2);
  CHECK(digests.chunks()[0] == digests.chunks()[1]);
}

}  // namespace relab::crypto
