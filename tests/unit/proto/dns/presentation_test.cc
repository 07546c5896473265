// presentation
