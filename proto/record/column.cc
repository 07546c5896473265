//   numbers := u8 width (0–8) | run{width}         plane i holds bits 8i … 8i+7 of every number
//   heap    := varint plain size | run
//   run     := u8 mode | varint stored size | bytes
//   mode    := 0 (as it is) | 1 (zstd frame) | 2 (one byte, repeated)
#include "proto/record/column.h"

#include <zstd.h>

#include <algorithm>
#include <bit>

namespace sekisho::record {
namespace {

enum Mode : uint8_t { kPlain = 0, kZstd = 1, kRepeated = 2 };

struct FreeDecompressor {
  void operator()(ZSTD_DCtx* d) const { ZSTD_freeDCtx(d); }
};

}  // namespace

void PutVarint(std::string* out, uint64_t v) {
  while (v >= 0x80) {
    out->push_back(static_cast<char>(v | 0x80));
    v >>= 7;
  }
  out->push_back(static_cast<char>(v));
}

bool TakeVarint(std::span<const uint8_t>* in, uint64_t* v) {
  uint64_t out = 0;
  for (size_t i = 0; i < in->size() && i < 10; ++i) {
    const uint8_t b = (*in)[i];
    if (i == 9 && b > 1) return false;
    out |= static_cast<uint64_t>(b & 0x7f) << (7 * i);
    if ((b & 0x80) == 0) {
      if (b == 0 && i > 0) return false;  // one form per number
      *v = out;
      *in = in->subspan(i + 1);
      return true;
    }
  }
  return false;
}

struct Compressor::Context {
  ZSTD_CCtx* zstd = ZSTD_createCCtx();
  ~Context() { ZSTD_freeCCtx(zstd); }
};

Compressor::Compressor(int level) : context_(std::make_unique<Context>()) {
  ZSTD_CCtx_setParameter(context_->zstd, ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(context_->zstd, ZSTD_c_contentSizeFlag, 1);
}

Compressor::~Compressor() = default;

void Compressor::Run(std::string_view plain, std::string* out) {
  if (!plain.empty() && plain.find_first_not_of(plain[0]) == std::string_view::npos) {
    out->push_back(kRepeated);
    PutVarint(out, 1);
    out->push_back(plain[0]);
    return;
  }
  size_t size = 0;
  if (plain.size() >= 16) {
    buffer_.resize(ZSTD_compressBound(plain.size()));
    size = ZSTD_compress2(context_->zstd, buffer_.data(), buffer_.size(), plain.data(), plain.size());
    if (ZSTD_isError(size) || size >= plain.size()) size = 0;
  }
  out->push_back(size > 0 ? kZstd : kPlain);
  PutVarint(out, size > 0 ? size : plain.size());
  if (size > 0) {
    out->append(buffer_.data(), size);
  } else {
    out->append(plain);
  }
}

void ColumnWriter::Numbers(std::span<const uint64_t> values) {
  uint64_t all = 0;
  for (const uint64_t v : values) all |= v;
  const int width = (64 - std::countl_zero(all) + 7) / 8;
  out_.push_back(static_cast<char>(width));
  plane_.resize(values.size());
  for (int p = 0; p < width; ++p) {
    for (size_t i = 0; i < values.size(); ++i) plane_[i] = static_cast<char>(values[i] >> (8 * p));
    compressor_->Run(plane_, &out_);
  }
}

void ColumnWriter::Heap(std::string_view bytes) {
  PutVarint(&out_, bytes.size());
  compressor_->Run(bytes, &out_);
}

bool ColumnReader::Run(size_t plain_size, char* to) {
  uint64_t stored = 0;
  if (!ok_ || bytes_.empty()) return Fail();
  const uint8_t mode = bytes_[0];
  bytes_ = bytes_.subspan(1);
  if (!TakeVarint(&bytes_, &stored) || stored > bytes_.size()) return Fail();
  const auto in = bytes_.first(stored);
  bytes_ = bytes_.subspan(stored);
  switch (mode) {
    case kPlain:
      if (stored != plain_size) return Fail();
      std::copy(in.begin(), in.end(), to);
      return true;
    case kRepeated:
      if (stored != 1) return Fail();
      std::fill_n(to, plain_size, static_cast<char>(in[0]));
      return true;
    case kZstd: {
      thread_local std::unique_ptr<ZSTD_DCtx, FreeDecompressor> zstd(ZSTD_createDCtx());
      const size_t n = ZSTD_decompressDCtx(zstd.get(), to, plain_size, in.data(), in.size());
      if (ZSTD_isError(n) || n != plain_size) return Fail();
      return true;
    }
    default:
      return Fail();
  }
}

bool ColumnReader::Count(size_t limit, size_t* count) {
  uint64_t v = 0;
  if (!ok_ || !TakeVarint(&bytes_, &v) || v > limit) return Fail();
  *count = v;
  return true;
}

bool ColumnReader::Numbers(size_t count, uint64_t max, std::vector<uint64_t>* values) {
  if (!ok_ || bytes_.empty() || bytes_[0] > 8) return Fail();
  const int width = bytes_[0];
  bytes_ = bytes_.subspan(1);
  values->assign(count, 0);
  plane_.resize(count);
  for (int p = 0; p < width; ++p) {
    if (!Run(count, plane_.data())) return false;
    for (size_t i = 0; i < count; ++i) {
      (*values)[i] |= static_cast<uint64_t>(static_cast<uint8_t>(plane_[i])) << (8 * p);
    }
  }
  if (max == UINT64_MAX) return true;
  uint64_t largest = 0;
  for (const uint64_t v : *values) largest = std::max(largest, v);
  return largest <= max || Fail();
}

bool ColumnReader::Small(size_t count, uint32_t max, std::vector<uint32_t>* values) {
  if (!ok_ || bytes_.empty() || bytes_[0] > 4) return Fail();
  const int width = bytes_[0];
  bytes_ = bytes_.subspan(1);
  values->resize(count);
  if (width == 0) std::fill(values->begin(), values->end(), 0);
  plane_.resize(count);
  uint32_t* const to = values->data();
  for (int p = 0; p < width; ++p) {
    if (!Run(count, plane_.data())) return false;
    const auto* from = reinterpret_cast<const uint8_t*>(plane_.data());
    if (p == 0) {
      for (size_t i = 0; i < count; ++i) to[i] = from[i];
    } else {
      for (size_t i = 0; i < count; ++i) to[i] |= static_cast<uint32_t>(from[i]) << (8 * p);
    }
  }
  uint32_t largest = 0;
  for (size_t i = 0; i < count; ++i) largest = std::max(largest, to[i]);
  return largest <= max || Fail();
}

bool ColumnReader::Planes(size_t count, uint64_t max, PlaneColumn* values) {
  if (!ok_ || bytes_.empty() || bytes_[0] > 8) return Fail();
  values->width_ = bytes_[0];
  values->count_ = count;
  bytes_ = bytes_.subspan(1);
  values->planes_.resize(values->width_ * count);
  for (size_t p = 0; p < values->width_; ++p) {
    if (!Run(count, reinterpret_cast<char*>(values->planes_.data() + p * count))) return false;
  }
  if (values->width_ < 8 && max >> (8 * values->width_) != 0) return true;
  if (max == UINT64_MAX || (values->width_ < 8 && max == (uint64_t{1} << (8 * values->width_)) - 1))
    return true;
  for (size_t i = 0; i < count; ++i) {
    if ((*values)[i] > max) return Fail();
  }
  return true;
}

bool ColumnReader::SkipNumbers() {
  if (!ok_ || bytes_.empty() || bytes_[0] > 8) return Fail();
  const int width = bytes_[0];
  bytes_ = bytes_.subspan(1);
  for (int p = 0; p < width; ++p) {
    uint64_t stored = 0;
    if (bytes_.empty()) return Fail();
    bytes_ = bytes_.subspan(1);
    if (!TakeVarint(&bytes_, &stored) || stored > bytes_.size()) return Fail();
    bytes_ = bytes_.subspan(stored);
  }
  return true;
}

bool ColumnReader::Heap(size_t limit, std::string* bytes) {
  uint64_t size = 0;
  if (!ok_ || !TakeVarint(&bytes_, &size) || size > limit) return Fail();
  bytes->resize(size);
  return Run(size, bytes->data());
}

}  // namespace sekisho::record
