// rdata
