# cmake -DINPUT=file -DOUTPUT=file.cc -DSYMBOL=name -P embed.cmake: the bytes of a file as a C++ string_view.
file(READ ${INPUT} hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
file(WRITE ${OUTPUT} "#include \"proto/config/config_descriptor.h\"
namespace sekisho::config {
namespace {
constexpr unsigned char kBytes[] = {${bytes}};
}
std::string_view ${SYMBOL}() { return {reinterpret_cast<const char*>(kBytes), sizeof(kBytes)}; }
}  // namespace sekisho::config
")
