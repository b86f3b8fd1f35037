"""One small file a decoding back end; `emotrain.video.decode` chooses between them."""
