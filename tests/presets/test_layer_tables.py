TABLES = {
    k: None for k in "spp-covid-net darkcovidnet res-squeezenet hybrid-mobilenet hl-cnn".split()
}
